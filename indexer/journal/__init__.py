"""Single changes, and posts that were forgotten. Imports `pipeline` and `retrieval`."""
