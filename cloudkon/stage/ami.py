"""The AMI of the workers' machines: how it is recognised, and what an instance prints while it becomes one."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudkon.errors import CloudKonError

_MAX_USER_DATA_BYTES = 16 * 1024
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html"""
ARTIFACTS_PREFIX = "artifacts"
"""The prefix in the results bucket where instances find the worker's wheel and scripts."""
_SAID = re.compile(r"cloudkon-image: (.+)")
_LOG = "/var/log/cloudkon-image.log"
_END = "END_OF_PROVISION"


@dataclass(frozen=True, slots=True)
class WorkerAmi:
    """One AMI of a stage."""

    id: str
    digest: str
    """The digest of the artifacts that it was made from."""
    base: str
    """The official image that it was made from."""
    architecture: str
    created: str
    """As AWS writes it, in UTC: 2025-11-22T18:41:53.000Z."""
    size_gib: int
    state: str
    snapshots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Console:
    """What an instance has written to its console so far."""

    text: str

    @property
    def said(self) -> tuple[str, ...]:
        """The messages of provision.sh in their order, each once; other programs write to the console as well."""
        found = (_SAID.search(line) for line in self.text.splitlines())
        return tuple(dict.fromkeys(match[1].strip() for match in found if match))

    @property
    def ready(self) -> bool:
        return "ready" in self.said

    @property
    def failure(self) -> str | None:
        """The step that failed."""
        return next((said.removeprefix("failed: ") for said in self.said if said.startswith("failed: ")), None)

    def last_lines(self, most: int) -> Sequence[str]:
        return [line for line in self.text.splitlines() if line.strip()][-most:]


def user_data(provision: str, source: str, stage: str, region: str, sums: Mapping[str, str] | None = None) -> str:
    """The script by which a fresh instance becomes a worker's machine, says how it went, and shuts down.

    What user data says reaches the console by cloud-init; its outcome must, so it is written there once more. With the
    SHA-256 sums of the artifacts, by their names, the machine takes these files and no others.
    """
    arguments = shlex.join(["--stage", stage, "--region", region, source])
    script = (
        "#!/bin/bash\n"
        f"cat >/root/provision.sh <<'{_END}'\n{provision}{_END}\n"
        f"{_told_sums(sums or {})}"
        f"bash /root/provision.sh {arguments} 2>&1 | tee {_LOG}\n"
        "rm -f /root/provision.sh\n"
        f"grep -a '^cloudkon-image: ' {_LOG} >/dev/console\n"
        "shutdown --poweroff now\n"
    )
    if len(script.encode()) > _MAX_USER_DATA_BYTES:
        raise CloudKonError(f"The script by which a machine is made has more than {_MAX_USER_DATA_BYTES:,} bytes.")
    return script


def _told_sums(sums: Mapping[str, str]) -> str:
    if not sums:
        return ""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    return f"cat >/root/artifacts.sha256 <<'{_END}'\n{lines}{_END}\n"
