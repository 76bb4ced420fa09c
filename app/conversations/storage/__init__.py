"""What is kept of conversations and feedback, in SQLite.

Imports `answering.types`, `conversations.turns`, `standalone.context` and `retrieval`.
"""
