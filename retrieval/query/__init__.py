"""Parses what somebody typed into words and filters. Pure; imports `text` and `types`."""
