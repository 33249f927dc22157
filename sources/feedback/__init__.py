"""Feedback: what users said of recommendations and what came of them, from the service's journal or from JSONL."""

from sources.feedback.source import FeedbackSource

__all__ = ["FeedbackSource"]
