"""Whether a sentence may be shown: its marks, support, numbers, names, language.

Imports `comparison`, `question`, `injection`, answering's types and marks, and `retrieval`; no store.
"""
