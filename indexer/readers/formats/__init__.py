"""File formats, one module each: from bytes to records in bounded memory.

Imports `readers.records`; no platform and no mapping.
"""
