"""llama.cpp in a process beside the server: the only package that imports llama_cpp.

The server has `generator`, `writer_process` and `wire`; all else runs in the process, whose `main` is in `worker`.
"""
