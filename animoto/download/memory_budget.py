"""Limits the memory of pictures that were downloaded before it is their turn."""

import asyncio


class MemoryBudget:
    """So many bytes for all waiting pictures. The one whose turn it is may exceed it, so that nothing deadlocks."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._held_bytes = 0
        self._turn = 0
        self._change = asyncio.Event()

    def fits(self, index: int, size_bytes: int) -> bool:
        return index == self._turn or self._held_bytes + size_bytes <= self._size_bytes

    async def wait_until_fits(self, index: int, size_bytes: int) -> None:
        """Return once there is room for so many bytes more of a picture."""
        while not self.fits(index, size_bytes):
            await self._change.wait()

    def reserve(self, size_bytes: int) -> None:
        self._held_bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        self._held_bytes -= size_bytes
        self._wake()

    def set_turn(self, index: int) -> None:
        """Say whose turn it is."""
        self._turn = index
        self._wake()

    def _wake(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
