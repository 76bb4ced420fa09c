"""Maps other exports' fields to a post's.

Pure; imports `posts`, `readers.paths`, `readers.record_kinds`, `formats.detect` and `retrieval.errors`.
"""
