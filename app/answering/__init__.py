"""From a question to an answer in which every sentence was checked. Imports `app.models` and `retrieval`."""
