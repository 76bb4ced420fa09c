"""An index that is there already: status, rollback, prune, migration. Imports `run` and `retrieval`."""
