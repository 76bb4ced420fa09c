"""The two stores of posts: embedded (`edge`) and a Qdrant server (`server`).

Only they, and `text.terms`, import Qdrant. Imports `text`, `settings` and `types`.
"""
