"""The commands that fill the index. Imports anything in `indexer`, and nothing imports it."""
