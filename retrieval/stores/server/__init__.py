"""The server store: a collection of a Qdrant server or cluster a generation. Imports qdrant_client."""
