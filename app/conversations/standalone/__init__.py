"""Completes a follow-up question so that it stands alone.

Imports `conversations.turns` and `retrieval`; `answering.writing` and `generation` for the model.
"""
