"""The connector `transcripts`: transcript files to documents, some files a batch."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.document import Permission
from schemas.errors import ConfigError
from sources.protocol import Batch, Rejection, SourceContext
from sources.transcripts.cues import Reading, UnreadableError
from sources.transcripts.document import build_transcript
from sources.transcripts.files import TranscriptFile, find_files, read_file

BATCH_FILES = 50
VIDEO_URL = "https://www.youtube.com/watch?v={video}"
URL_FIELDS = {"video": "v", "key": "k", "stem": "s"}


class TranscriptsOptions(BaseModel):
    """Settings of `ingest transcripts`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: list[Path] = Field(min_length=1, description="Files or folders: .vtt .srt .sbv .sub .json .md .txt.")
    language: str | None = Field(default=None, description="Language code of files that do not name theirs.")
    licence: str = Field(default="unknown", description="Licence of the transcripts, an SPDX id where one exists.")
    permission: Permission = Field(default="unknown", description="granted, own or unknown.")
    basis: str = Field(default="transcript files", description="Why the project may hold them, in words.")
    attribution: str | None = Field(default=None, description="Whom the licence wants named.")
    url_template: str | None = Field(
        default=None,
        description="Address of a transcript, with {video}, {key} (folder and file name) or {stem} (file name).",
    )

    @field_validator("url_template")
    @classmethod
    def _check_template(cls, template: str | None) -> str | None:
        try:
            _ = template and template.format(**URL_FIELDS)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise ValueError("only {video}, {key} and {stem} may stand in it") from error
        return template


class TranscriptsSource:
    """Reads transcript files; see `Connector`."""

    name: ClassVar[str] = "transcripts"
    Options: ClassVar[type[BaseModel]] = TranscriptsOptions

    def __init__(self, options: BaseModel, context: SourceContext) -> None:
        if not isinstance(options, TranscriptsOptions):
            raise ConfigError("ingest transcripts: options of another source", "use TranscriptsSource.Options")
        self._options = options
        self._context = context

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields the documents of up to 50 files a batch, in the order of their natural keys.

        Args:
            after: Natural key of the last file that was read.

        Raises:
            ConfigError: A path is missing, or a folder holds no transcript.
        """
        files = [file for file in find_files(self._options.path) if after is None or file.natural_key > after]
        return self._iterate_batches(files)

    def _iterate_batches(self, files: list[TranscriptFile]) -> Iterator[Batch]:
        for start in range(0, max(1, len(files)), BATCH_FILES):
            chunk = files[start : start + BATCH_FILES]
            rows: list[dict[str, object]] = []
            rejections: list[Rejection] = []
            for file in chunk:
                self._read_one(file, rows, rejections)
            is_last = start + BATCH_FILES >= len(files)
            yield Batch.of(rows, tuple(rejections), None if is_last else chunk[-1].natural_key)

    def _read_one(self, file: TranscriptFile, rows: list[dict[str, object]], rejections: list[Rejection]) -> None:
        try:
            reading = read_file(file)
        except UnreadableError as error:
            rejections.append(Rejection(str(file.path), error.reason, error.detail, error.is_fault))
            return
        if reading.num_lost:
            lost = f"{reading.num_lost} cue{'s' if reading.num_lost > 1 else ''} without a valid time line"
            detail = f"{lost}; the other {len(reading.cues)} are kept"
            rejections.append(Rejection(str(file.path), "broken_cues", detail))
        rows.append(self._build_row(file, reading))

    def _build_row(self, file: TranscriptFile, reading: Reading) -> dict[str, object]:
        options = self._options
        if reading.language is None and options.language is not None:
            reading = replace(reading, language=options.language)
        return build_transcript(
            reading,
            source=self.name,
            natural_key=file.natural_key,
            salt=self._context.salt,
            fetched_at=self._context.now,
            tags={
                "url": self._make_url(file, reading),
                "licence": options.licence,
                "basis": options.basis,
                "permission": options.permission,
                "attribution": options.attribution,
            },
        )

    def _make_url(self, file: TranscriptFile, reading: Reading) -> str | None:
        template = self._options.url_template
        if template is None:
            return VIDEO_URL.format(video=reading.video) if reading.video else None
        if "{video}" in template and reading.video is None:
            return None
        return template.format(video=reading.video, key=file.natural_key, stem=file.path.stem)
