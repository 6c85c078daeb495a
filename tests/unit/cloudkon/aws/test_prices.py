import json
from typing import Any, cast

import pytest

from cloudkon.aws.machines.prices import Prices
from cloudkon.stage.machine import Machine
from tests.support.emulators.scripted_aws import ScriptedClient


def machine(*, spot: bool) -> Machine:
    return Machine("i-1", "c5.large", "eu-central-1a", "running", spot, 0, "ami-1")


def offer(unit: str, usd: str) -> str:
    """A product of the price list, cut down to what is read."""
    dimensions = {"any": {"unit": unit, "pricePerUnit": {"USD": usd}}}
    return json.dumps({"terms": {"OnDemand": {"any": {"priceDimensions": dimensions}}}})


def prices(**answers: Any) -> tuple[Prices, ScriptedClient]:
    client: Any = ScriptedClient(answers)
    return Prices(client, client, "eu-central-1"), cast("ScriptedClient", client)


@pytest.mark.parametrize(
    ("offers", "usd"), [([offer("Hrs", "0.0970")], 0.097), ([offer("Quantity", "5")], None), ([], None)]
)
def test_the_on_demand_price_of_an_hour_is_read_from_the_list(offers: list[str], usd: float | None) -> None:
    """The price of an hour, where the list has one."""
    known, _ = prices(get_products={"PriceList": offers})
    assert known.usd_an_hour(machine(spot=False)) == usd


@pytest.mark.parametrize(("history", "usd"), [([{"SpotPrice": "0.0391"}], 0.0391), ([], None)])
def test_the_latest_spot_price_is_read_where_there_is_one(history: list[dict[str, str]], usd: float | None) -> None:
    """The market's latest price, where there is a market."""
    known, _ = prices(describe_spot_price_history={"SpotPriceHistory": history})
    assert known.usd_an_hour(machine(spot=True)) == usd


def test_machines_of_a_kind_are_asked_for_once() -> None:
    """A hundred machines of one type are one question."""
    known, client = prices(get_products={"PriceList": [offer("Hrs", "1")]})
    assert [known.usd_an_hour(machine(spot=False)) for _ in range(3)] == [1.0] * 3
    assert len(client.calls) == 1
