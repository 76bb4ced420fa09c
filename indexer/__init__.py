"""Fills the index: reads post files, decides what is new, embeds it, and switches generations.

Imports `retrieval`; never `app`.
"""
