import signal

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.support.moto_aws"]

# A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that: ours have to be
# interrupted as in the foreground.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class TwoKinds(LoadScopeScheduling):  # type: ignore[misc]  # as it has no types
    """Of two processes one has the tests that mostly wait for an embedded cloud, the other has the rest, file by file.

    So there is one cloud, and one deploy of this repository at a time.
    """

    def _split_scope(self, nodeid: str) -> str:
        waits = nodeid.startswith(("tests/acceptance/", "tests/chaos/"))
        return "cloud" if waits else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TwoKinds:
    return TwoKinds(config, log)
