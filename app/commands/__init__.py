"""The commands that ask the index. Imports anything in `app`, and nothing imports it."""
