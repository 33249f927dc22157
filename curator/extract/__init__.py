"""From documents to examples: one file a kind of document, pure functions of frames."""

from curator.extract.build import Extraction
from curator.extract.dispatch import extract_documents, list_inputs

__all__ = ["Extraction", "extract_documents", "list_inputs"]
