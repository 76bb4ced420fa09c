"""One reindex from start to end, and the history of runs. Imports `journal` and below."""
