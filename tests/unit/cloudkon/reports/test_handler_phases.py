from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloudkon.reports.handler_phases import MAX_NAMES, HandlerPhase, HandlerPhases
from tests.support.data.rows import succeeded

Told = list[dict[str, float]]
_TOLD = st.lists(
    st.dictionaries(st.sampled_from([f"s{n}" for n in range(60)]), st.integers(0, 10**6), max_size=8), max_size=40
)


def collected(told: Told) -> dict[str, HandlerPhase]:
    phases = HandlerPhases()
    for phases_ms in told:
        phases.add([replace(succeeded(), phases_ms=phases_ms or None)])
    return dict(phases.by_cost())


@given(_TOLD.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_any_order_sums_up_to_the_same(told: tuple[Told, Told]) -> None:
    """Rows come in no particular order: what is shown of the first names is whole, and the same."""
    phases = collected(told[0])
    names = sorted({name for phases_ms in told[0] for name in phases_ms})[:MAX_NAMES]
    assert {name: phase.total_ms for name, phase in phases.items()} == {
        name: sum(phases_ms.get(name, 0) for phases_ms in told[0]) for name in names
    }
    assert list(collected(told[1]).items()) == list(phases.items())
