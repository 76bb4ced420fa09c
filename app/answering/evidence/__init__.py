"""Which sentences of the hits answer the question, and whether they are enough.

Imports `question`, `comparison` and `retrieval`; no model of language.
"""
