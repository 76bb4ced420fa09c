"""Completions of what is being typed. Pure; imports `text` and `types`."""
