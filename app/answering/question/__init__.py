"""What a question asks for: kind of answer, topic, names. Pure; imports only `retrieval.text`."""
