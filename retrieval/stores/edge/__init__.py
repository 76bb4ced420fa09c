"""The embedded store: Qdrant Edge in this process, one folder per generation. Imports qdrant_edge."""
