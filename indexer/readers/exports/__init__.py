"""Platforms' exports, one module each, and how to recognise them. Pure; imports `readers` and `posts`."""
