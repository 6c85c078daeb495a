"""The template as it is sent: without its comments, and open to loopback where an emulator is spoken to."""

import re
from importlib.resources import files
from ipaddress import ip_address
from urllib.parse import urlsplit

MOST_BYTES = 51_200
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
_COMMENT = re.compile(r"(^|(?<=\S))[ \t]*# .*$", re.MULTILINE)
_TLS_ONLY = re.compile(r'^( *)Bool:\n +aws:SecureTransport: "false"\n', re.MULTILINE)


def template(endpoint: str = "") -> str:
    """The template of every stage, for the CloudFormation that answers at this endpoint."""
    text = files("infrastructure").joinpath("stack.yaml").read_text(encoding="utf-8")
    sent = re.sub(r"\n\n+", "\n", _COMMENT.sub("", text)).lstrip()
    return _open_to_loopback(sent) if _is_loopback(endpoint) else sent


def _open_to_loopback(text: str) -> str:
    """Let policies that ask for TLS leave out what comes from loopback, where emulators are spoken to without."""
    return _TLS_ONLY.sub(r"\g<0>\1NotIpAddress:\n\1  aws:SourceIp: 127.0.0.0/8\n", text)


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
