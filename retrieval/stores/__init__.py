"""The two stores of posts: embedded (`edge`) and a Qdrant server (`server`)."""
