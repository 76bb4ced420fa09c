"""The exports of platforms, a module each, and how one is recognised. Pure; imports `readers` and `posts`."""
