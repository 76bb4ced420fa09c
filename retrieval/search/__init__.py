"""The read path: query, candidates, fusion, ranking, hits.

Imports `models`, `text`, `settings` and the stores' contract; never Qdrant.
"""
