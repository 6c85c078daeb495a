"""Lambda's entry: Chalice calls handlers app.<function>, so each is named here."""

from dispatcher.app import app, ingest

__all__ = ["app", "ingest"]
