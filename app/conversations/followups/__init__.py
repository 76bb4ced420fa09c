"""Questions to go on with, each tried on the index before it is shown. Imports `answering` and `standalone`."""
