import shlex
import subprocess

import pytest

from cli.system.environment import child_environment, cloud_environment, shell_lines


def test_points_boto3_at_loopback() -> None:
    """The environment names the endpoint on loopback, the dummy credentials, the region and the stage."""
    assert cloud_environment(4566, "dev", {}) == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CLOUDKON_STAGE": "dev",
    }


@pytest.mark.parametrize(
    ("before", "direct"),
    [
        ({"HTTPS_PROXY": "http://proxy"}, "127.0.0.1"),
        ({"http_proxy": "http://proxy", "no_proxy": "intern,"}, "intern,127.0.0.1"),
        ({"http_proxy": "http://proxy", "NO_PROXY": "127.0.0.1"}, "127.0.0.1"),
    ],
)
def test_proxies_let_the_cloud_through(before: dict[str, str], direct: str) -> None:
    """Behind a proxy, which stays, the embedded cloud is reached directly."""
    environment = child_environment(1, "dev", before)
    assert environment["no_proxy"] == environment["NO_PROXY"] == direct
    assert all(environment[name] == value for name, value in before.items() if "no" not in name.lower())


def test_children_see_no_other_aws() -> None:
    """A profile, a session token or another endpoint that is set does not lead a child elsewhere."""
    strays = {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "t", "AWS_ENDPOINT_URL_S3": "http://s3", "HOME": "/home/me"}
    environment = child_environment(1, "dev", strays)
    assert {name for name in strays if name in environment} == {"HOME"}


def test_shell_lines_are_evaluated_by_a_shell() -> None:
    """What is printed makes a shell's environment, whatever was set in it before."""
    before = {"AWS_PROFILE": "mine", "http_proxy": "http://proxy", "no_proxy": "a b;c"}
    lines = shell_lines(4566, "dev", before)
    script = "\n".join(lines) + '\nprintf "%s|" "$AWS_ENDPOINT_URL" "$no_proxy" "${AWS_PROFILE-unset}"'
    answer = subprocess.run(["sh", "-c", script], env=before, capture_output=True, text=True, check=True)
    assert answer.stdout == "http://127.0.0.1:4566|a b;c,127.0.0.1|unset|"
    assert all(shlex.split(line)[0] in {"export", "unset"} for line in lines)
