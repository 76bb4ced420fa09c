"""Asks the index and answers people."""
