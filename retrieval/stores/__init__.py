"""The two places that keep posts: embedded (`edge`) and a Qdrant server (`server`)."""
