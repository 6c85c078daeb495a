"""Uploads pictures of this machine, so that workers in AWS can read them."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from animoto.download.urls import UrlError, s3_location
from cloudkon.errors import InputError
from cloudkon.ports import ObjectStore
from cloudkon.settings import Settings
from cloudkon.stage.names import DEFAULT_STAGE
from cloudkon.wiring import cloud

_AT_ONCE = 8
_DIGEST_CHARACTERS = 12


def upload_pictures(files: Sequence[Path], prefix: str) -> list[str]:
    """Upload each file below s3://BUCKET/PREFIX, a few at once; return their URLs, in order.

    A key ends with the file's name, after a digest of its content: pictures of one name don't take each other's place,
    and the same picture is the same object. Raises InputError for a prefix that is none.
    """
    try:
        place = s3_location(prefix.rstrip("/") + "/")
    except UrlError:
        place = None
    if place is None:
        raise InputError(f"--upload {prefix}: write s3://BUCKET/PREFIX, of a bucket that the workers may read.")
    store = cloud(DEFAULT_STAGE, Settings()).bucket(place.bucket)
    with ThreadPoolExecutor(_AT_ONCE, "upload") as pool:
        keys = list(pool.map(lambda path: _upload(store, path, place.key), files))
    click.echo(f"Uploaded {len(keys)} pictures to {prefix}", err=True)
    return [f"s3://{place.bucket}/{key}" for key in keys]


def _upload(store: ObjectStore, path: Path, prefix: str) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:_DIGEST_CHARACTERS]
    key = f"{prefix}{digest}-{path.name}"
    store.upload(key, path)
    return key
