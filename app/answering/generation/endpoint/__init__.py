"""A model behind an OpenAI-compatible endpoint. Imports httpx; never llama.cpp."""
