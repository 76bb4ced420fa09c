"""From evidence to the sentences of a model: prompts, the queue, the stream.

Imports `checking` and `generation`'s protocol.
"""
