"""Retrieval and answers measured on judged data. Imports `answering`, `model_bundle` and `retrieval`."""
