"""Models that read text: embedders, rerankers, entailment.

The only package that imports torch, sentence_transformers, transformers or openvino. Imports `text` and `settings`.
"""
