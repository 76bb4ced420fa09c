"""One reindex from start to end, and the history of runs. Imports `pipeline`, `journal`, `readers` and `retrieval`."""
