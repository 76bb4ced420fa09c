"""Completes a follow-up question so that it stands alone.

Imports `retrieval`, and `answering.writing` for the model.
"""
