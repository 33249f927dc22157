"""Makes a new project folder."""

from pathlib import Path

from curator.atomic import write_file
from curator.pipeline import list_default_ingests
from curator.settings import CONFIG_NAME
from schemas.errors import DISK_ADVICE, ConfigError
from sources.packs.loader import list_bundled_packs, load_pack

TEMPLATE = """\
# A curator project. Every setting with its default and origin: curator config show
pack = {pack}
seed = 3407

# What `curator run` reads. Without any [[ingest]] it reads the pack's own pages, records and generator.
{ingests}# [[ingest]]
# source = "reddit"
# dump = ["dumps"]         # RS_*.zst and RC_*.zst
# subreddits = ["Fitness", "weightroom"]

# [[ingest]]
# source = "dataset"
# path = ["questions.csv"]
# map = {{ question = "Frage", answer = "Antwort" }}
# licence = "CC-BY-4.0"
# permission = "granted"

[balance]
size = "max"               # or a number of rows
# max_synthetic_share = 0.40

[export]
format = "messages"        # sharegpt, alpaca, instruction, messages, preference
"""


INGESTS = {
    "markdown": '[[ingest]]\nsource = "markdown"        # the pack\'s knowledge pages; path = ["notes"] for your own\n\n',
    "dataset": '[[ingest]]\nsource = "dataset"         # the pack\'s structured records\n\n',
    "synthetic": '[[ingest]]\nsource = "synthetic"       # examples from the pack\'s rules\n# count = 2000\n\n',
}


def make_project(folder: Path, pack: str) -> Path:
    """Writes `curator.toml` into a folder, which is made if absent.

    Args:
        folder: The new project.
        pack: A bundled pack or the path of one (relative to the working folder).

    Returns:
        The absolute path of the folder.

    Raises:
        ConfigError: There is a project already, no such pack, or the path cannot be one of a folder.
        OSError: The disk refuses.
    """
    path = folder / CONFIG_NAME
    if path.exists():
        raise ConfigError(f"{path}: a project is here already", "edit it, or choose another folder")
    ingests = "".join(INGESTS[ingest.source] for ingest in list_default_ingests(load_pack(pack)))
    name = pack if pack in list_bundled_packs() else str(Path(pack).expanduser().resolve())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in DISK_ADVICE:
            raise
        raise ConfigError(f"{folder}: {error.strerror}", "name a folder that can be made") from error
    # Whole or not at all: half of a file would be taken for a project that is there.
    write_file(path, TEMPLATE.format(pack=_quote(name), ingests=ingests).encode())
    return folder.resolve()


def _quote(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)
