"""Maintains an existing index: status, rollback, prune, migration. Imports `run` and below."""
