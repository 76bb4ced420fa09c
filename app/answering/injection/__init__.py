"""Words in posts that are meant for a model or are none of a reader's business.

Pure; imports `retrieval.text` alone.
"""
