import pytest

from cloudkon.aws.machines.amis import Images
from cloudkon.errors import CloudKonError
from tests.support.worlds.image_world import NAMES, image_world


def test_an_image_that_aws_does_not_accept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter that never comes to name the image is told; workers start from what they did."""
    with image_world(monkeypatch) as world:
        with pytest.raises(CloudKonError, match=f"{NAMES.image_parameter} does not name ami-0123, .* after 60 s"):
            Images(world.ec2, world.ssm, NAMES).make_current("ami-0123", world)
        assert world.current() is None
