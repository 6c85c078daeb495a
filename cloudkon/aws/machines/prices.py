"""What an instance costs an hour, as AWS tells it."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cloudkon.aws.errors import translated
from cloudkon.stage.machine import Machine

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_pricing import PricingClient


class Prices:
    """Asks once for each kind of machine; None where AWS tells no price. Raises what translated raises."""

    def __init__(self, ec2: "EC2Client", pricing: "PricingClient", region: str) -> None:
        self._ec2 = ec2
        self._pricing = pricing
        self._region = region
        self._known: dict[tuple[str, str, bool], float | None] = {}

    def usd_an_hour(self, machine: Machine) -> float | None:
        kind = (machine.type, machine.zone if machine.spot else "", machine.spot)
        if kind not in self._known:
            self._known[kind] = self._spot(machine) if machine.spot else self._on_demand(machine.type)
        return self._known[kind]

    def _spot(self, machine: Machine) -> float | None:
        """The market's latest price in the machine's zone."""
        with translated("ask for the price of spot instances"):
            history = self._ec2.describe_spot_price_history(
                InstanceTypes=[machine.type],  # type: ignore[list-item]  # the stubs know it by literal names only
                AvailabilityZone=machine.zone,
                ProductDescriptions=["Linux/UNIX"],
                MaxResults=1,
            )["SpotPriceHistory"]
        return float(history[0]["SpotPrice"]) if history else None

    def _on_demand(self, kind: str) -> float | None:
        # https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
        wanted = {
            "instanceType": kind,
            "regionCode": self._region,
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
        }
        filters: Any = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
        with translated("ask for the price of instances"):
            answer = self._pricing.get_products(ServiceCode="AmazonEC2", Filters=filters, MaxResults=1)
        return next(_rates(answer["PriceList"]), None)


def _rates(price_list: Iterable[str]) -> Any:
    for product in price_list:
        for term in json.loads(product).get("terms", {}).get("OnDemand", {}).values():
            for dimension in term.get("priceDimensions", {}).values():
                usd = dimension.get("pricePerUnit", {}).get("USD")
                if usd is not None and dimension.get("unit") == "Hrs":
                    yield float(usd)
