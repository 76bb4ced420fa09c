"""Which model files there are, where they come from, whether they are whole.

Imports `retrieval`; never a model's library.
"""
