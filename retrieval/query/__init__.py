"""What somebody typed, taken apart into words and filters. Pure; imports `text` and `types`."""
