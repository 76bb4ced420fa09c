"""Changes accepted one by one, and posts forgotten. Imports `pipeline` and `retrieval`."""
