"""Conversations: follow-up questions in context, what is kept of them, what can be asked next, and feedback."""
