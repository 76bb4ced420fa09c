"""Follow-up questions, each tried on the index before it is suggested.

Imports `answering.types`, `conversations.turns`, `standalone` and `retrieval`.
"""
