"""Knowledge pages: markdown files with optional front matter, one document a page."""

from sources.markdown.source import MarkdownSource

__all__ = ["MarkdownSource"]
