"""Connectors and packs: everything that comes in from outside, as frames of documents.

A connector never sees the database and decides nothing; `sources.protocol` says what one is.
"""

from sources.protocol import Batch, Connector, Rejection, SourceContext

__all__ = ["Batch", "Connector", "Rejection", "SourceContext"]
