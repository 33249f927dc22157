"""The process that serves: loads one GGUF file, says its URL on stdout, and ends when its input does."""

import json
import os
import sys


def serve(settings: dict[str, object]) -> None:
    """Serves until the parent closes our input (or dies, which closes it too)."""
    # llama.cpp may print where it likes; stdout is for one line of ours.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.n_ctx = settings["context_length"]
    params.warmup = False
    params.fit_params = False
    params.ui = False
    params.verbosity = 0
    if settings["threads"]:
        params.cpuparams.n_threads = settings["threads"]
        params.cpuparams_batch.n_threads = settings["threads"]
    server = xllamacpp.Server(params)
    answer.write(json.dumps({"url": server.listening_address}) + "\n")
    answer.flush()
    sys.stdin.read()
    # Its threads would be joined one by one; nothing of them is worth waiting for.
    os._exit(0)


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
