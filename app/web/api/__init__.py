"""The JSON API, one module a resource. Imports `services`, `conversations` and `retrieval`."""
