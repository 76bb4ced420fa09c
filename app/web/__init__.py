"""HTTP: the JSON API, the page, server-sent events.

Imports anything in `app` but `main`, `commands` and `evaluation`.
"""
