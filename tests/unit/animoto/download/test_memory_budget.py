import asyncio

from animoto.download.memory_budget import MemoryBudget


def test_no_more_fits_until_some_is_given_back() -> None:
    """So much fits and no more, until some is given back."""
    budget = MemoryBudget(100)
    budget.reserve(60)
    assert budget.fits(1, 40)
    assert not budget.fits(1, 41)
    budget.release(60)
    assert budget.fits(1, 100)


def test_the_picture_whose_turn_it_is_always_fits() -> None:
    """The picture whose turn it is finds room for any size."""
    budget = MemoryBudget(100)
    budget.reserve(100)
    budget.set_turn(3)
    assert budget.fits(3, 1_000)
    assert not budget.fits(4, 1)


def test_a_waiting_picture_goes_on_with_room_or_its_turn() -> None:
    """Whoever waits goes on when there is room, or when it is his turn, and not before."""

    async def go() -> None:
        budget = MemoryBudget(100)
        budget.reserve(100)
        second, third = (asyncio.create_task(budget.wait_until_fits(index, 50)) for index in (1, 2))
        budget.release(40)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not second.done()
        budget.set_turn(2)
        await third
        assert not second.done()
        budget.release(10)
        await second

    asyncio.run(go())
