"""Single changes, and posts that were forgotten. Imports `pipeline`, `posts` and `retrieval`."""
