"""The price list: one file with its date and its sources, which a person may replace by another.

A price that was not looked up is None, and whatever it would price is reported as not priced: nothing is guessed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from cloudkon.errors import InputError

_FORMAT = 1
_ABOUT = frozenset({"format", "region", "as_of", "note", "sources"})
_MARKETS = {"on-demand": "ec2_on_demand", "spot": "ec2_spot"}
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars by their names in the file, such as sqs.million_requests; all of one region."""

    region: str
    as_of: str
    """The day of the list, as the file has it."""
    source: str
    """Which file it is."""
    usd: Mapping[str, float | None]

    def of(self, name: str, per: float = 1.0) -> float | None:
        """The price of one, where the list has the price of so many; None if it was not looked up."""
        usd = self.usd.get(name)
        return None if usd is None else usd / per

    def machine_hour(self, type_: str, market: str) -> float | None:
        """What an hour of a machine costs on this market: on-demand or spot."""
        return self.of(f"{_MARKETS[market]}.{type_}") if market in _MARKETS else None

    def as_json(self) -> dict[str, str]:
        return {"region": self.region, "as_of": self.as_of, "source": self.source}


def shipped_prices() -> Prices:
    """The list that comes with this version."""
    return _parsed(shipped_text(), "the list shipped with CloudKon")


def read_prices(file: Path) -> Prices:
    """A person's own list; raises InputError, with the place, for one that can't be used."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InputError(f"{file} is too large for a list of prices. See: cloudkon-cli plan --show-prices")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} can't be read as a list of prices: {error}.") from error
    return _parsed(text, str(file))


def shipped_text() -> str:
    """The shipped list as it is, for somebody who wants to change it."""
    return (files("cloudkon.costs") / "prices.json").read_text(encoding="utf-8")


def _parsed(text: str, source: str) -> Prices:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON: {error}.") from error
    if not isinstance(told, dict) or told.get("format") != _FORMAT:
        raise InputError(f'{source} is no list of prices: it has to be an object with "format": {_FORMAT}.')
    usd = {
        f"{service}.{name}": _price(value, f"{source}: {service}.{name}")
        for service, prices in told.items()
        if service not in _ABOUT
        for name, value in _object(prices, f"{source}: {service}").items()
    }
    return Prices(_text(told, "region", source), _text(told, "as_of", source), source, usd)


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{place} has to be an object of prices.")
    return value


def _price(value: Any, place: str) -> float | None:
    if value is None:
        return None
    # float("inf") and NaN are what json.loads takes: neither is a price.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise InputError(f"{place} has to be a price in US dollars, or null for one that is not known.")
    return float(value)


def _text(told: Mapping[str, Any], name: str, source: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise InputError(f'{source} does not say its "{name}".')
    return value
