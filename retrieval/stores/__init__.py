"""The two stores of posts: embedded (`edge`) and a Qdrant server (`server`).

Only they import Qdrant's clients. Imports `text`, `settings` and `types`.
"""
