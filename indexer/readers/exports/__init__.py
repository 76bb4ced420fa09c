"""Platforms' exports, one module each, and how to recognise them.

Pure; imports `posts`, `readers.paths`, `readers.record_kinds`, `formats.xml` and `retrieval.text`.
"""
