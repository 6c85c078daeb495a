"""What is renewed while a bundle is in flight, and for how long."""

from collections.abc import Callable, Sequence
from typing import Any

from cloudkon.errors import UnavailableError
from cloudkon.local.queue import Depth
from cloudkon.settings import Settings
from tests.support.closable_port import Gate
from tests.support.tripwire import Tripwire
from tests.support.worlds.worker_world import SteppedWorker, WorkerWorld, Wrap

OWN = Settings(lease_s=12.0, guard_s=2.0, checkpoint_s=1.0, visibility_margin_s=3.0)


def only(name: str, wrap: Callable[[Any], Any]) -> Wrap:
    """Wraps one port and leaves the others alone."""
    return lambda port_name, port: wrap(port) if port_name == name else port


def test_a_renewed_lease_is_used_until_a_guard_before_its_end() -> None:
    """No task starts in the last guard of a lease, be it the first one or a renewed one."""
    for renewals in (0, 1, 2):
        world, gate = WorkerWorld(OWN), Gate(UnavailableError("The table did not answer."))
        world.send("note a", "note b", "note c")
        machine = SteppedWorker(world, wrap=only("ledger", gate.before))
        machine.receive()
        for _ in range(renewals):
            world.clock.advance(OWN.heartbeat_s)
            machine.keep()
        gate.shut = True
        world.clock.advance(OWN.lease_s - OWN.guard_s - 0.5)
        assert machine.run_one()
        world.clock.advance(0.5)
        assert not machine.run_one()
        world.ledger.close()


def test_the_message_of_a_long_task_stays_hidden() -> None:
    """However long its tasks take, the message of a bundle in flight never comes back, and nobody else receives it."""
    world = WorkerWorld(OWN)
    world.send("note a")
    machine = SteppedWorker(world)
    machine.receive()
    for _ in range(10 * round(OWN.visibility_s)):
        world.clock.advance(1.0)
        machine.keep()
        assert world.tasks.depth() == Depth(visible=0, in_flight=1)
    world.ledger.close()


def test_a_bundle_that_is_being_settled_is_checkpointed_once_a_heartbeat() -> None:
    """Once it is completed the ledger refuses its checkpoints; a refusal is no reason to ask again at every tick."""
    world, wire = WorkerWorld(OWN), Tripwire()
    world.send("note a")
    gone = Gate(UnavailableError("There is no process queue."))

    def wrap(name: str, port: Any) -> Any:
        return gone.before(port) if name == "process" else wire.wired(name, port) if name == "ledger" else port

    machine = SteppedWorker(world, wrap=wrap)
    machine.receive()
    machine.run_one()
    gone.shut = True
    machine.settle()  # completed, and not forwarded
    for _ in range(4 * round(OWN.heartbeat_s)):
        world.clock.advance(0.5)
        machine.keep()
    assert wire.calls.count("ledger.checkpoint") == 2
    gone.shut = False
    machine.settle()
    assert not machine.holds()
    world.ledger.close()


class HidesSlowly:
    """A task queue whose hide takes so long that a heartbeat falls into it."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self.meanwhile: Any = None

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._port, verb)

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        failed: Sequence[int] = self._port.hide(receipts, seconds)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return failed


def test_no_heartbeat_hides_a_message_that_waits_for_a_retry() -> None:
    """A message is hidden for the wait before the retry, though a heartbeat is due at that very moment."""
    world = WorkerWorld(OWN)
    world.send("stumble a")
    slow: list[HidesSlowly] = []

    def wrap(name: str, port: Any) -> Any:
        if name != "tasks":
            return port
        slow.append(HidesSlowly(port))
        return slow[0]

    machine = SteppedWorker(world, wrap=wrap)
    machine.worker.settler.retry_backoff.uniform = lambda _, bound: bound
    machine.receive()
    machine.run_one()
    world.clock.advance(OWN.heartbeat_s)  # the message is due to be hidden for longer
    slow[0].meanwhile = machine.keep
    machine.settle()
    world.clock.advance(OWN.retry_base_s)
    assert world.tasks.depth() == Depth(visible=1, in_flight=0)
    world.ledger.close()
