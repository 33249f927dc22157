"""From an export folder to an adapter, a merged model, GGUF and a Modelfile; needs the extra `train` to run."""
