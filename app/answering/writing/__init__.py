"""From evidence to the sentences of a model: the prompt, the queue, the stream.

Imports the other rooms of `answering`, and of `generation` the protocol alone.
"""
