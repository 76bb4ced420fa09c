"""What two texts share: words, names, numbers with their units. Pure; imports only `retrieval.text`."""
