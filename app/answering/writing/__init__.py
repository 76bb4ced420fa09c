"""From evidence to a model's sentences: prompts, the queue before the model, the stream.

Imports `checking` and `generation`'s protocol.
"""
