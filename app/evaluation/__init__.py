"""Retrieval and answers measured on a folder of judged data."""
