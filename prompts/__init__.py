"""Words for the model, read as files."""
