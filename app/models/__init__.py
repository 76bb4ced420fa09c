"""Model files: chosen, downloaded, and checked before they are loaded. Imports `retrieval.errors`; never llama.cpp."""
