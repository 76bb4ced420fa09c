"""The server store: one collection of a Qdrant server or cluster per generation. Imports qdrant_client."""
