"""Lambda's entry: Chalice calls handlers app.<function>, so each is named here."""

from dispatcher.app import app, dispatch_range, ingest

__all__ = ["app", "dispatch_range", "ingest"]
