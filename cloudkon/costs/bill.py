"""A bill: what was used of each service, and what that costs; None where the price was not looked up."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a bill."""

    service: str
    quantity: float
    unit: str
    """What is counted: requests, GB-months, hours of c6i.large, spot."""
    usd: float | None
    """None if its price is not known."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Charges, in the order of the services."""

    charges: Sequence[Charge]

    @property
    def total_usd(self) -> float:
        """Of everything that has a price."""
        return sum(charge.usd for charge in self.charges if charge.usd is not None)

    @property
    def unpriced(self) -> Sequence[Charge]:
        """What was used and has no price."""
        return [charge for charge in self.charges if charge.usd is None and charge.quantity]

    @property
    def services(self) -> dict[str, float]:
        """What each service costs, as far as it has prices; the dearest first."""
        usd: dict[str, float] = {}
        for charge in self.charges:
            if charge.usd is not None:
                usd[charge.service] = usd.get(charge.service, 0.0) + charge.usd
        return dict(sorted(usd.items(), key=lambda each: -each[1]))

    def of_service(self, service: str) -> float:
        """What one service costs, as far as it has prices."""
        return self.services.get(service, 0.0)

    @property
    def dominant(self) -> str | None:
        """The service that costs most; None where nothing costs anything."""
        return next((service for service, usd in self.services.items() if usd), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "usd": self.total_usd,
            "complete": not self.unpriced,
            "dominant": self.dominant,
            "services": self.services,
            "charges": [asdict(charge) for charge in self.charges if charge.quantity],
        }


def charge(service: str, quantity: float, unit: str, usd_each: float | None) -> Charge:
    """A line of so many at this price each."""
    return Charge(service, quantity, unit, None if usd_each is None else quantity * usd_each)
