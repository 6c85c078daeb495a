"""Downloads as a test wants them: from loopback, without a wait."""

import random
from typing import Any

from animoto.addresses import Addresses
from animoto.download.background import downloads
from animoto.fetch import Download, Fetched, Fetcher, Limits
from animoto.picture.broken import Broken
from cloudkon.backoff import Backoff

LOOPBACK = Addresses.parse("127.0.0.0/8")
QUICK = Limits(total_s=20, silence_s=10)
PICTURE = bytes(range(256)) * 8


class Pauses:
    """Notes how long to wait, and does not."""

    def __init__(self) -> None:
        self.lengths_s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.lengths_s.append(seconds)


def fetch(
    *urls: str, limits: Limits = QUICK, addresses: Addresses = LOOPBACK, pause: Pauses | None = None, **more: Any
) -> list[Download]:
    backoff = Backoff(uniform=random.Random(7).uniform)
    fetcher = Fetcher(addresses, limits, backoff, pause=pause or Pauses(), **more)
    with downloads(fetcher, urls) as found:
        return list(found)


def data(download: Download) -> bytes:
    assert isinstance(download, Fetched), download
    return download.data


def broken(download: Download) -> Broken:
    assert isinstance(download, Broken), download
    return download
