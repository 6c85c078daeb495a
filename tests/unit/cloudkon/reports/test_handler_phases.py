from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloudkon.reports.handler_phases import MAX_NAMES, HandlerStage, HandlerStages
from tests.support.data.rows import succeeded

Told = list[dict[str, float]]
_TOLD = st.lists(
    st.dictionaries(st.sampled_from([f"s{n}" for n in range(60)]), st.integers(0, 10**6), max_size=8), max_size=40
)


def collected(told: Told) -> dict[str, HandlerStage]:
    stages = HandlerStages()
    for stages_ms in told:
        stages.add([replace(succeeded(), stages_ms=stages_ms or None)])
    return dict(stages.stages())


@given(_TOLD.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_any_order_sums_up_to_the_same(told: tuple[Told, Told]) -> None:
    """Rows come in no particular order: what is shown of the first names is whole, and the same."""
    stages = collected(told[0])
    names = sorted({name for stages_ms in told[0] for name in stages_ms})[:MAX_NAMES]
    assert {name: stage.total_ms for name, stage in stages.items()} == {
        name: sum(stages_ms.get(name, 0) for stages_ms in told[0]) for name in names
    }
    assert list(collected(told[1]).items()) == list(stages.items())
