"""From a record's fields to a valid post. Pure; imports `retrieval.types` and `retrieval.text`."""
