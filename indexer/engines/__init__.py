"""Where passages are embedded: one small protocol, implemented by this process and by workers of Ray.

Imports `readers` and `retrieval`.
"""
