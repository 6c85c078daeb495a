"""Which handlers a worker has: those that come with it, those it is allowed, and the user's own."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from cloudkon.handlers.registry import Handler, Registry, task
from cloudkon.handlers.shell import exec_, shell
from cloudkon.handlers.sleep import sleep
from cloudkon.own_modules import look_here
from cloudkon.ports import ObjectStore

PICTURE_NETWORKS_VARIABLE = "CLOUDKON_ANIMOTO_ALLOW"
"""Networks beside the public ones that pictures may be fetched from, such as 127.0.0.0/8,10.1.0.0/16."""
_REFUSED = "it runs whatever a workload says; a worker started with --allow shell takes it"
_ASK = {"shell": ("shell", _REFUSED), "exec": ("shell", _REFUSED)}
"""What has to be allowed for a task, and why."""
_VIDEOS_NEED = ("aiohttp", "av", "PIL")


@dataclass(frozen=True, slots=True)
class PictureSources:
    """Where the pictures of videos may come from, beside public addresses."""

    networks: str = ""
    buckets: Callable[[str], ObjectStore] | None = None
    """The store of a bucket, by its name."""
    files: bool = False
    """Whether tasks may name files of this machine."""


def handlers(modules: Sequence[str], allowed: Sequence[str], pictures: PictureSources | None = None) -> Registry:
    """Load the handlers; raises InputError for a module that has none or can't be imported, and for bad networks."""
    refused = {name: reason for name, (permission, reason) in _ASK.items() if permission not in allowed}
    missing = [name for name in _VIDEOS_NEED if find_spec(name) is None]
    if missing:
        refused["animoto"] = (
            f"this worker has no {', '.join(missing)}, which videos need: pip install cloudkon[animoto]"
        )
    registry = Registry([sleep], refused=refused)
    if not missing:
        registry.add(_animoto(pictures or PictureSources()))
    if "shell" in allowed:
        registry.add(shell)
        registry.add(exec_)
    if modules:
        look_here()
    for module in modules:
        registry.load(module)
    return registry


def _animoto(pictures: PictureSources) -> Handler:
    """Loads what makes videos with the first of them: it takes half a second, and memory that others don't need."""
    importlib.import_module("animoto.addresses").Addresses.parse(
        pictures.networks
    )  # what is wrong is said at the start

    @cache
    def loaded() -> Handler:
        made: Handler = importlib.import_module("animoto.task").handler(
            pictures.networks, pictures.buckets, files=pictures.files
        )
        return made

    @task("animoto")
    def animoto(*urls: Any, **options: Any) -> Any:
        return loaded()(*urls, **options)

    return animoto
