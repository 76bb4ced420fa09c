"""What is kept of conversations and feedback, in SQLite. Imports `answering.types` and `retrieval`."""
