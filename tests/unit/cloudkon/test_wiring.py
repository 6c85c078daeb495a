"""Where the stage's name comes from."""

import pytest

from cloudkon.errors import InputError
from cloudkon.wiring import stage_from


@pytest.mark.parametrize(
    ("environ", "stage"), [({}, "dev"), ({"CLOUDKON_STAGE": ""}, "dev"), ({"CLOUDKON_STAGE": "prod"}, "prod")]
)
def test_the_environment_names_the_stage(environ: dict[str, str], stage: str) -> None:
    """Unset and empty mean the default."""
    assert stage_from(environ) == stage


def test_a_name_that_no_bucket_could_carry_is_refused() -> None:
    """The error shows the name as it was given."""
    with pytest.raises(InputError, match="'Prod!' is not a stage's name"):
        stage_from({"CLOUDKON_STAGE": "Prod!"})
