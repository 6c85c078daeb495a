from collections.abc import Iterator

import pytest

from tests.support.embedded_aws import EmbeddedAws, embedded_aws


@pytest.fixture(scope="session")
def embedded_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """One for all tests that don't mind each other: with IAM policies enforced, the stack and the deployed Lambda."""
    with embedded_aws(tmp_path_factory.mktemp("cloud"), auth=True) as aws:
        yield aws
