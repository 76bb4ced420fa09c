"""Models that read text: embedders, rerankers, entailment.

The only package that imports torch or sentence_transformers.
"""
