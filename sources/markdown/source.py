"""The connector of knowledge pages: a folder of markdown becomes documents of kind `page`."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.document import Permission, document_id
from schemas.errors import ConfigError
from schemas.identity import dump_canonical, hash_author
from sources.files import Found, FoundFile, RefusedFileError, find_files, in_batches, read_text
from sources.packs.loader import pack_path
from sources.protocol import Batch, Rejection, SourceContext

BATCH_FILES = 256
SUFFIXES = (".md", ".markdown", ".mdown", ".mkd")


class MarkdownOptions(BaseModel):
    """What to read and what is known about its rights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: list[Path] = Field(default=[], description="Folders and files; the pack's own knowledge pages if empty.")
    licence: str = Field(default="unknown", description="SPDX id of pages whose front matter names none.")
    permission: Permission = Field(default="unknown", description="Whether we may train on the pages.")
    basis: str = Field(default="files of the user", description="Why we may hold the pages, in words.")
    label: str | None = Field(default=None, description="Stands for the folder's name in natural keys.")


class MarkdownSource:
    """Reads markdown pages.

    The content of a document is the page without its front matter; metadata holds `line_offset`, `front_matter`
    (title, category, language, tags) and `folders`. The author is kept as a salted hash alone.
    """

    name: ClassVar[str] = "markdown"
    Options: ClassVar[type[BaseModel]] = MarkdownOptions

    def __init__(self, options: BaseModel, context: SourceContext) -> None:
        self._context = context
        self._options = _with_defaults(MarkdownOptions.model_validate(options), context)

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields pages in the order of their keys; the cursor is the key of the last one.

        Raises:
            ConfigError: A path is missing, or there is no page at all.
        """
        entries = find_files(self._options.path, SUFFIXES, label=self._options.label)
        left = [(key, entry) for key, entry in entries if after is None or key > after]
        yield from self._batches(left)

    def _batches(self, entries: list[tuple[str, Found]]) -> Iterator[Batch]:
        if not entries:
            yield Batch.of([])
            return
        last = entries[-1][0]
        for rows, refused, key in in_batches(entries, self._read_page, BATCH_FILES):
            yield Batch.of(rows, tuple(refused), None if key == last else key)

    def _read_page(self, file: FoundFile) -> dict[str, object]:
        from sources.markdown.front_matter import (
            AUTHOR_KEYS,
            LANGUAGE_KEYS,
            LICENCE_KEYS,
            URL_KEYS,
            FrontMatterError,
            split_front_matter,
        )

        try:
            head = split_front_matter(read_text(file.path, str(file.path)))
        except FrontMatterError as error:
            raise RefusedFileError(Rejection(str(file.path), error.reason, error.detail)) from error
        if not head.body.strip():
            raise RefusedFileError(Rejection(str(file.path), "empty_file", "no text in it", is_fault=False))
        kept = {
            "title": head.text("title"),
            "category": head.text("category"),
            "language": head.text(*LANGUAGE_KEYS),
            "tags": head.texts("tags") or None,
        }
        author = ", ".join(head.texts(*AUTHOR_KEYS))
        return {
            "id": document_id(self.name, file.key, head.body),
            "source": self.name,
            "kind": "page",
            "natural_key": file.key,
            "title": head.text("title"),
            "content": head.body,
            "metadata": dump_canonical(
                {
                    "line_offset": head.line_offset,
                    "front_matter": {key: value for key, value in kept.items() if value is not None},
                    "folders": list(file.folders),
                }
            ),
            "url": head.text(*URL_KEYS),
            "author_hash": hash_author(author, self._context.salt) if author else None,
            "created_at": head.created_at(),
            "fetched_at": self._context.now,
            "licence": head.text(*LICENCE_KEYS) or self._options.licence,
            "basis": self._options.basis,
            "permission": self._options.permission,
            "attribution": head.text("attribution"),
        }


def _with_defaults(options: MarkdownOptions, context: SourceContext) -> MarkdownOptions:
    """Points an empty path at the pack's own pages, which are ours to train on."""
    if options.path:
        return options
    pack = context.pack
    if pack.knowledge is None:
        raise ConfigError(f"pack {pack.name}: has no knowledge pages of its own", "name a folder of markdown files")
    return options.model_copy(
        update={
            "path": [pack_path(pack, pack.knowledge)],
            "permission": "own",
            "basis": f"pages that come with the pack {pack.name}",
            "label": options.label or f"pack:{pack.name}",
        }
    )
