from collections.abc import Iterator

import pytest

from tests.support.worlds.embedded_aws import EmbeddedAws, embedded_aws


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """One for all storms: each leaves the queue empty."""
    with embedded_aws(tmp_path_factory.mktemp("cloud"), auth=False) as aws:
        yield aws
