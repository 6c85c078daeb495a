"""What a job cost, or will cost, as tables for a person."""

from collections.abc import Iterator

from cli.terminal.tables import Table
from cli.terminal.units import counted, dollars, duration
from cloudkon.costs.bill import Bill
from cloudkon.costs.estimate import Estimate
from cloudkon.costs.job_cost import JobCost, Waste
from cloudkon.costs.prices import Prices

_NOT_PRICED = "not priced"


def cost_tables(cost: JobCost) -> list[Table]:
    """The sum and the waste in lines, then each charge."""
    rows = [("cost", cost_text(cost)), *_wasted(cost)]
    return [Table((), ("left", "left"), rows), bill_table(cost.bill)]


def cost_text(cost: JobCost) -> str:
    """The sum in a line, and what it leaves out."""
    if cost.is_local:
        return "nothing was billed: it ran on a machine of your own"
    return _total(cost.bill, cost.prices)


def waste_text(waste: Waste) -> str | None:
    """Where the slots' time went that brought no result; None while nothing is known."""
    if waste.share is None:
        return None
    parts = [("idle", waste.idle_s), ("failed tasks", waste.failed_s), ("runs repeated", waste.repeated_s)]
    named = [f"{name} {seconds / waste.slots_s:.1%}" for name, seconds in parts if seconds > 0.0005 * waste.slots_s]
    return (
        f"{waste.share:.1%} of {duration(waste.slots_s * 1000)} of the slots{': ' if named else ''}{', '.join(named)}"
    )


def bill_table(bill: Bill) -> Table:
    """A row a charge; what was not used is left out."""
    rows = [
        (
            charge.service,
            _quantity(charge.quantity, charge.unit),
            _NOT_PRICED if charge.usd is None else dollars(charge.usd),
        )
        for charge in bill.charges
        if charge.quantity
    ]
    return Table(("service", "used", "USD"), ("left", "left", "right"), rows)


def estimate_tables(told: Estimate) -> list[Table]:
    """The plan, its time, its cost, and what dominates."""
    fleet = told.fleet
    about = "" if told.tasks_are_exact else "about "
    machines = "their machines are not named: add --type" if fleet.type is None else f"{fleet.type}, {fleet.market}"
    rows = [
        ("tasks", f"{about}{told.tasks:,} of {duration(told.task_ms)}, in {counted(told.bundles, 'bundle')}"),
        ("workers", f"{counted(fleet.workers, 'worker')} of {counted(fleet.slots, 'slot')}; {machines}"),
        ("time", f"about {duration(told.makespan_s * 1000)}, bound by {_BOUND_BY[told.bound_by]}"),
        ("cost", f"{_total(told.bill, told.prices)}{_dominance(told.bill)}"),
    ]
    return [Table((), ("left", "left"), rows), bill_table(told.bill)]


_BOUND_BY = {
    "tasks": "the tasks: more slots make it shorter",
    "workers": "what workers take a second: more workers make it shorter",
    "dispatch": "the dispatcher: more workers make it no shorter",
}


def _total(bill: Bill, prices: Prices) -> str:
    unpriced = sorted({charge.service for charge in bill.unpriced})
    without = f", without {' and '.join(unpriced)}" if unpriced else ""
    return f"{dollars(bill.total_usd)} USD{without}; list prices of {prices.region}, {prices.as_of}"


def _dominance(bill: Bill) -> str:
    if bill.dominant is None or not bill.total_usd:
        return ""
    return f"; {bill.services[bill.dominant] / bill.total_usd:.0%} of it is {bill.dominant}"


def _wasted(cost: JobCost) -> Iterator[tuple[str, str]]:
    if waste := waste_text(cost.waste):
        usd = cost.wasted_usd
        yield "wasted", waste if usd is None else f"{waste}; {dollars(usd)} USD of the machines"


def _quantity(quantity: float, unit: str) -> str:
    if quantity == round(quantity):
        return f"{quantity:,.0f} {unit[:-1] if quantity == 1 and unit.endswith('s') else unit}"
    return f"{quantity:,.3g} {unit}" if quantity < 1000 else f"{quantity:,.0f} {unit}"
