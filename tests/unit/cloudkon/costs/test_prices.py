"""The list of prices: what is shipped, and what a person may put in its place."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cloudkon.costs.prices import read_prices, shipped_prices, shipped_text
from cloudkon.errors import InputError


def _file(folder: Path, **changes: Any) -> Path:
    file = folder / "prices.json"
    file.write_text(json.dumps(json.loads(shipped_text()) | changes), encoding="utf-8")
    return file


def test_the_shipped_list_has_a_source_and_a_day_for_every_service() -> None:
    """Each service of the shipped list names the page of its prices and the day on which they were looked up."""
    told = json.loads(shipped_text())
    services = {name.partition("_on_")[0].partition("_spot")[0] for name in told if isinstance(told[name], dict)}
    assert services - {"sources"} == told["sources"].keys()
    for source in told["sources"].values():
        assert source["url"].startswith("https://aws.amazon.com/")
        assert date.fromisoformat(source["looked_up"]) <= date.fromisoformat(told["as_of"])


def test_a_price_that_was_not_looked_up_is_not_known() -> None:
    """The spot market and unknown types have no price in the shipped list; nothing is guessed."""
    prices = shipped_prices()
    assert prices.machine_hour("c6i.large", "on-demand") == 0.085
    assert prices.machine_hour("c6i.large", "spot") is None
    assert prices.machine_hour("x99.enormous", "on-demand") is None
    assert prices.machine_hour("c6i.large", "") is None
    assert prices.of("transfer.gb_to_internet") is None


def test_a_list_of_ones_own_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    """A copied and changed list is read whole, and says where it comes from."""
    prices = read_prices(_file(tmp_path, region="eu-central-1", ec2_spot={"c6i.large": 0.03}))
    assert (prices.region, prices.source) == ("eu-central-1", str(tmp_path / "prices.json"))
    assert prices.machine_hour("c6i.large", "spot") == 0.03


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "no list of prices"),
        ({"sqs": 3}, "sqs has to be an object"),
        ({"sqs": {"million_requests": "0.40"}}, "sqs.million_requests has to be a price"),
        ({"sqs": {"million_requests": -1}}, "sqs.million_requests has to be a price"),
        ({"sqs": {"million_requests": float("nan")}}, "sqs.million_requests has to be a price"),
        ({"sqs": {"million_requests": True}}, "sqs.million_requests has to be a price"),
        ({"region": ""}, '"region"'),
    ],
    ids=str,
)
def test_a_list_that_can_t_be_used_is_refused_with_the_place(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    """What is no list of prices is refused, and the message names the price that is wrong."""
    with pytest.raises(InputError, match=told):
        read_prices(_file(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000, b" " * 2_000_000], ids=len)
def test_any_bytes_in_place_of_a_list_are_an_error_in_a_line(tmp_path: Path, content: bytes) -> None:
    """Whatever a file holds, reading it as a list of prices ends with an InputError at worst."""
    file = tmp_path / "prices.json"
    file.write_bytes(content)
    with pytest.raises(InputError):
        read_prices(file)
