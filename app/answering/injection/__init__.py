"""Words in posts that are meant to instruct a model or to harm a reader.

Pure; imports `answering.types`, `retrieval.text` and `retrieval.types`.
"""
