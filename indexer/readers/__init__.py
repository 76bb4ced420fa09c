"""From files, folders and standard input to posts; what cannot be a post becomes a Rejected that says where and why.

Imports `posts` and `retrieval`.
"""
