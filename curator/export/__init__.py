"""Writes a frozen release as training files, with a manifest, a dataset card and the licence of each row kept."""

from curator.export.stage import ExportReport, export_release

__all__ = ["ExportReport", "export_release"]
