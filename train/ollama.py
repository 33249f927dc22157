"""Makes a model in Ollama through its HTTP API: the file as a blob, then one JSON request. No command line is needed."""

import hashlib
import json
from pathlib import Path

from schemas.errors import DeployError
from train.modelfile import Modelfile, require_model_name
from train.web import open_url, require_url

_PIECE = 1 << 20
ANSWER_TIMEOUT_S = 5.0


def is_ollama_there(url: str) -> bool:
    """Says whether an Ollama server answers at a URL."""
    try:
        with open_url(f"{require_url(url)}/api/version", timeout_s=ANSWER_TIMEOUT_S) as response:
            return "version" in json.loads(response.read())
    except (DeployError, ValueError):
        return False


def create_in_ollama(url: str, name: str, gguf: Path, modelfile: Modelfile) -> str:
    """Uploads the file unless the server has it, and creates the model.

    Args:
        url: Of the server, such as http://127.0.0.1:11434.
        name: Of the model there.
        gguf: The file that the Modelfile names.
        modelfile: Template, system prompt, parameters.

    Returns:
        The sha256 of the file.

    Raises:
        DeployError: The server is not there or refuses; what it says is in the message.
    """
    url = require_url(url)
    require_model_name(name)
    digest = hash_file(gguf)
    blob = f"{url}/api/blobs/sha256:{digest}"
    if not _has_blob(blob):
        size = str(gguf.stat().st_size)
        headers = {"Content-Length": size, "Content-Type": "application/octet-stream"}
        with gguf.open("rb") as file, open_url(blob, method="POST", data=file, headers=headers):
            pass
    body = modelfile.as_request(name, digest) | {"stream": True}
    with open_url(f"{url}/api/create", body) as response:
        statuses = [json.loads(line) for line in response if line.strip()]
    failed = next((status["error"] for status in statuses if "error" in status), None)
    if failed or not statuses or statuses[-1].get("status") != "success":
        raise DeployError(f"{url}: Ollama did not create {name}: {failed or 'it broke off'}", "look at its log")
    return digest


def hash_file(path: Path) -> str:
    """Gives the sha256 of a file in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _has_blob(url: str) -> bool:
    try:
        with open_url(url, method="HEAD"):
            return True
    except DeployError as error:
        if "answers 404" in error.message:
            return False
        raise
