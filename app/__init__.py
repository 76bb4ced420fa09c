"""Asks the index and answers people. Imports `retrieval`; never `indexer`."""
