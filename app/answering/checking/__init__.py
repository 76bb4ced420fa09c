"""Whether a sentence may be shown: its marks, support, numbers, names, language.

Imports `comparison`, `question`, `injection` and `retrieval`; no store and no model library.
"""
