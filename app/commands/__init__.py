"""The commands that ask the index. Imports anything in `app`; only `stipple` imports it."""
