"""Conversations: follow-up questions in context, what is kept of them, and what can be asked next.

Imports `answering` and `retrieval`.
"""
