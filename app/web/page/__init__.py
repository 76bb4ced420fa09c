"""The page: from an address to HTML. Imports `web.sse`, `conversations` and `retrieval`; never `web.api`'s routes."""
