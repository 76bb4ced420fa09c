"""The commands that fill the index. Imports anything in `indexer`; only `stipple` imports it."""
