import signal
import sys

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.support.emulators.moto_aws", "tests.support.emulators.judged_aws"]

# A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that: ours have to be
# interrupted as in the foreground.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


NO_CLOUD = {
    *(f"acceptance/local/test_{name}" for name in ("animoto", "browser", "local", "wheel")),
    *("chaos/test_clocks", "chaos/test_lambda_killed", "chaos/test_outages"),
    *("chaos/test_video_killed", "chaos/test_worker_killed"),
}
"""Of the folders whose tests have an embedded cloud, what needs none."""
OWN_CLOUD = ("chaos/", "acceptance/stage/test_lifecycle", "acceptance/stage/test_undeploy")
"""What doesn't work on the embedded cloud that the acceptance tests share."""


class ThreeKinds(LoadScopeScheduling):  # type: ignore[misc]  # as it has no types
    """Of three processes one has the tests on the shared embedded cloud, one those on others; both mostly wait.

    So there is one shared cloud. The third process has the rest, a file at a time, as has whoever is done first.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition(".py::")[0].removeprefix("tests/")
        if file in NO_CLOUD or not file.startswith(("acceptance/", "chaos/")):
            return file
        return "other clouds" if file.startswith(OWN_CLOUD) else "shared cloud"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ThreeKinds:
    return ThreeKinds(config, log)


def pytest_sessionfinish() -> None:
    """Close the socket that X-Ray's SDK opens when it is imported: else the last lines of a run are a warning."""
    sdk = sys.modules.get("aws_xray_sdk.core")
    if sdk is not None:
        sdk.xray_recorder.emitter._socket.close()
