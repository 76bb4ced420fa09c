"""From answers, hits and conversations to what a template shows. Pure.

Imports `words`, `page_request`, `contexts`, types of `answering` and `conversations`, and `retrieval`.
"""
