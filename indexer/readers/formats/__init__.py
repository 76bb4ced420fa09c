"""File formats, one module each: from bytes to records in bounded memory.

Imports `readers.records`, `posts.validation` and `retrieval`; no platform and no mapping.
"""
