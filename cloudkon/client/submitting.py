"""Uploads a workload to a stage's bucket, where the dispatcher finds it."""

from pathlib import Path
from typing import Protocol

from cloudkon.errors import CloudKonError
from cloudkon.ledger.job import job_id
from cloudkon.ports import ObjectStore


class WorkloadsBucket(ObjectStore, Protocol):
    """A bucket whose objects have versions: each is a job of its own."""

    @property
    def bucket(self) -> str: ...

    def is_versioned(self) -> bool: ...


def check_versions(store: WorkloadsBucket, stage: str) -> None:
    """Raise CloudKonError for a bucket whose jobs could not be told apart."""
    if not store.is_versioned():
        raise CloudKonError(
            f"The bucket {store.bucket} keeps no versions, so that a job could not be told from the next one of the "
            f"same name. Nothing was uploaded. Repair it: cloudkon-cli stack up --repair --stage {stage}"
        )


def uploaded(store: WorkloadsBucket, key: str, path: Path, shown: str) -> tuple[str, str]:
    """Upload a workload; return the id that its job will have, and the object's version."""
    version = store.upload(key, path)
    if version is None:
        raise CloudKonError(
            f"{shown} was uploaded, but the bucket {store.bucket} gave it no version. Find its job: cloudkon-cli jobs"
        )
    return job_id(store.bucket, key, version), version
