import asyncio

from animoto.download.memory_budget import Room


def test_no_more_fits_until_some_is_given_back() -> None:
    """So much fits and no more, until some is given back."""
    room = Room(100)
    room.take(60)
    assert room.holds(1, 40)
    assert not room.holds(1, 41)
    room.give_back(60)
    assert room.holds(1, 100)


def test_the_picture_whose_turn_it_is_always_fits() -> None:
    """The picture whose turn it is finds room for any size."""
    room = Room(100)
    room.take(100)
    room.turn_to(3)
    assert room.holds(3, 1_000)
    assert not room.holds(4, 1)


def test_a_waiting_picture_goes_on_with_room_or_its_turn() -> None:
    """Whoever waits goes on when there is room, or when it is his turn, and not before."""

    async def go() -> None:
        room = Room(100)
        room.take(100)
        second, third = (asyncio.create_task(room.wait(index, 50)) for index in (1, 2))
        room.give_back(40)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not second.done()
        room.turn_to(2)
        await third
        assert not second.done()
        room.give_back(10)
        await second

    asyncio.run(go())
