"""Words in posts that are meant to instruct a model or to harm a reader.

Pure; imports `retrieval.text` alone.
"""
