"""`python -m llama_cpp.server`, loading as Stipple does: without the AMX kernels that kill it on some machines."""

import runpy

from app.answering.generation.llama.gguf_loader import without_amx

if __name__ == "__main__":
    with without_amx():
        runpy.run_module("llama_cpp.server", run_name="__main__")
