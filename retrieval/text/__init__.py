"""What is done to text before it is found: folding, sentences, passages, terms, language.

Pure; imports `types` alone.
"""
