"""The JSON API, one module a resource.

Imports `services`, `api_keys`, `web.auth`, `web.sse`, `conversations`, `answering.types` and `retrieval`.
"""
