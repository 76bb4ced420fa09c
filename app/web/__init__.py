"""HTTP: the JSON API, the page, server-sent events."""
