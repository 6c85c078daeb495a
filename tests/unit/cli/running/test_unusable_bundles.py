"""What becomes of a LOCAL run one of whose bundles no worker can use."""

import contextlib
from pathlib import Path

import pytest

from cli.running.local_runner import LocalRun
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError
from cloudkon.handlers.registry import Registry
from cloudkon.handlers.sleep import sleep
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.lease import BundleState
from cloudkon.messages.wire import encode_bundle
from cloudkon.settings import Settings


def test_a_run_ends_and_says_what_could_not_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for no bundle that was set aside: all others are recorded, and the reason is its error."""

    def encode(bundle: Bundle) -> str:
        return "[" * 50_000 if bundle.key.number == 1 else encode_bundle(bundle)

    monkeypatch.setattr("dispatcher.dispatch.encode_bundle", encode)
    workload = tmp_path / "tasks.txt"
    workload.write_text("#cloudkon: bundle=1\n" + "sleep 0\n" * 3)
    settings = Settings(poll_s=0.05, drain_s=5.0)
    run = LocalRun(
        workload,
        tmp_path / "ledger.db",
        Registry([sleep]),
        slots=2,
        settings=settings,
        clock=SystemClock(),
        finished=lambda _: None,
    )
    with contextlib.closing(run):
        job = run.open(resume=False)
        with pytest.raises(CloudKonError, match=r"^1 bundle could not be run: The message is not JSON"):
            run.run(job)
        states = {row.key.number: row.state for row in run.ledger.bundles(job)}
        assert states == {0: BundleState.DONE, 2: BundleState.DONE}
