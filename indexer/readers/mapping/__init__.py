"""Maps other exports' fields to a post's. Pure; imports `posts`, `readers.paths` and `readers.record_kinds`."""
