"""The page: from an address to HTML.

Imports `web.sse`, `web.api.requests`, `recent_searches`, `conversations`, `answering.types` and `retrieval`; never
`web.api`'s routes.
"""
