"""The embedded store: Qdrant Edge in this process, one folder a generation. Imports qdrant_edge."""
