"""The read path: query, candidates, fusion, ranking, hits.

Imports `models`, `query`, `text` and the stores' contract; never Qdrant.
"""
