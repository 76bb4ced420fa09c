"""Preparing text for search: folding, sentences, passages, terms, language.

Pure; imports only `types`, and qdrant_edge for its tokenizer.
"""
