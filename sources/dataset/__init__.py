"""Existing datasets: conversations, preferences and structured records from files or the Hugging Face hub."""

from sources.dataset.source import DatasetSource

__all__ = ["DatasetSource"]
