"""What two texts have in common: words, names, numbers with their units. Pure; imports `retrieval.text` alone."""
