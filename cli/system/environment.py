"""The environment that points boto3 at the embedded cloud, for our children and for a person's shell."""

import shlex
from collections.abc import Mapping

HOST = "127.0.0.1"
REGION = "us-east-1"
_WORD = "test"  # the embedded cloud knows no secrets
# What would send boto3 elsewhere, or sign for somebody else, in spite of what we set.
_STRAYS = (
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def cloud_environment(port: int, stage: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """What has to be set; a person's own proxies stay, and are told to let the embedded cloud through."""
    settings = {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": _WORD,
        "AWS_SECRET_ACCESS_KEY": _WORD,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "CLOUDKON_STAGE": stage,
    }
    if any(inherited.get(name) or inherited.get(name.upper()) for name in _PROXIES):
        direct = [part for part in (inherited.get("no_proxy") or inherited.get("NO_PROXY") or "").split(",") if part]
        if HOST not in direct:
            direct.append(HOST)
        settings |= {"no_proxy": ",".join(direct), "NO_PROXY": ",".join(direct)}
    return settings


def child_environment(port: int, stage: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a process that is to see nothing but the embedded cloud."""
    strays = set(_strays(inherited))
    kept = {name: value for name, value in inherited.items() if name not in strays}
    return kept | cloud_environment(port, stage, inherited)


def shell_lines(port: int, stage: str, inherited: Mapping[str, str]) -> list[str]:
    """The lines for a shell's eval."""
    settings = cloud_environment(port, stage, inherited)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    strays = _strays(inherited)
    return [f"unset {' '.join(strays)}", *lines] if strays else lines


def _strays(inherited: Mapping[str, str]) -> list[str]:
    return [name for name in inherited if name in _STRAYS or name.startswith("AWS_ENDPOINT_URL_")]
