"""Completes a follow-up question so that it stands by itself.

Imports `retrieval`, and `answering.writing` for the model.
"""
