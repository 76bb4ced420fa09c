"""The command: joins what fills the index and what asks it."""
