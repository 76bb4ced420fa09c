"""Which sentences of the hits answer the question, and whether they are enough.

Imports `question`, `comparison`, `injection`, answering's types and messages, and `retrieval`; no language model.
"""
