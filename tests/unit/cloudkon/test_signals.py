import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from cloudkon.signals import listen, listening

LISTENED = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def _as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (*LISTENED, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_was_ignored_stays_ignored() -> None:
    """A signal that is ignored when we come is ignored while we listen, and afterwards."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    came: list[int] = []
    with listening((signal.SIGHUP, signal.SIGTERM), lambda number, _: came.append(number)):
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert came == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_what_signals_did_before_they_do_again() -> None:
    """After the block everything is as it was."""
    before = [signal.getsignal(number) for number in LISTENED]
    with listening(LISTENED, lambda *_: None):
        assert [signal.getsignal(number) for number in LISTENED] != before
    assert [signal.getsignal(number) for number in LISTENED] == before


@pytest.mark.parametrize("number", LISTENED, ids=lambda number: number.name)
def test_a_forked_child_ends_by_the_signals_that_we_listen_for(number: signal.Signals) -> None:
    """A child of os.fork is ended by a signal in the default way, not by our handler."""
    listen(LISTENED, lambda *_: None)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b"ready")
            signal.pause()
        finally:
            os._exit(9)
    assert os.read(reading, 5) == b"ready"
    os.close(reading)
    os.close(writing)
    os.kill(child, number)
    status = os.waitpid(child, 0)[1]
    # Python turns SIGINT into KeyboardInterrupt, as it does in every program.
    assert os.waitstatus_to_exitcode(status) == (9 if number == signal.SIGINT else -number)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_within_ends(method: str) -> None:
    """Leaving a pool of processes ends them, however they are started."""
    listen(LISTENED, lambda *_: None)
    code = f"""
        import multiprocessing, signal, sys, time
        from cloudkon.signals import listen
        if __name__ == "__main__":
            listen((signal.SIGTERM, signal.SIGINT), lambda *_: None)
            with multiprocessing.get_context("{method}").Pool(2) as pool:
                pool.apply_async(time.sleep, (600,))
                print(pool.apply(abs, (-3,)))
    """
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (answer.returncode, answer.stdout) == (0, "3\n"), answer.stderr


def test_terminate_ends_a_forked_process() -> None:
    """Process.terminate() of multiprocessing is enough."""
    listen(LISTENED, lambda *_: None)
    for _ in range(20):  # at once: the signal may come before the child has run a line
        child = multiprocessing.get_context("fork").Process(target=signal.pause, daemon=True)
        child.start()
        child.terminate()
        child.join(20)
        assert child.exitcode == -signal.SIGTERM
