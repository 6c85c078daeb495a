"""The memory for pictures that were downloaded ahead of their turn."""

import asyncio


class Room:
    """So many bytes for all that wait; the picture whose turn it is takes what it needs, so nothing can lock up."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._held_bytes = 0
        self._turn = 0
        self._change = asyncio.Event()

    def holds(self, index: int, size_bytes: int) -> bool:
        return index == self._turn or self._held_bytes + size_bytes <= self._size_bytes

    async def wait(self, index: int, size_bytes: int) -> None:
        """Return once there is room for so many bytes more of a picture."""
        while not self.holds(index, size_bytes):
            await self._change.wait()

    def take(self, size_bytes: int) -> None:
        self._held_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        self._held_bytes -= size_bytes
        self._wake()

    def turn_to(self, index: int) -> None:
        """Say whose turn it is."""
        self._turn = index
        self._wake()

    def _wake(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
