"""The nouns of curator: frozen models, frame columns, settings, errors, and the JSON Schemas of every file.

Imports nothing heavy; every other package builds on it.
"""

from schemas.document import DOCUMENT_COLUMNS, Document
from schemas.errors import ConfigError, CuratorError
from schemas.example import EXAMPLE_COLUMNS, Example, Message, Preference
from schemas.pack import Pack
from schemas.verdict import VERDICT_COLUMNS, Verdict

__all__ = [
    "DOCUMENT_COLUMNS",
    "EXAMPLE_COLUMNS",
    "VERDICT_COLUMNS",
    "ConfigError",
    "CuratorError",
    "Document",
    "Example",
    "Message",
    "Pack",
    "Preference",
    "Verdict",
]
