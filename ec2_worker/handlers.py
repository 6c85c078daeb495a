"""Which handlers a worker has: those that come with it, those it is allowed, and the user's own."""

from collections.abc import Sequence

from cloudkon.registry import Registry
from cloudkon.shell import shell
from cloudkon.sleep import sleep

_ASK = {"shell": "it runs whatever a workload says; a worker started with --allow shell takes it"}


def handlers(modules: Sequence[str], allowed: Sequence[str]) -> Registry:
    """Load the handlers; raises InputError for a module that has none, or can't be imported."""
    registry = Registry([sleep], refused={name: reason for name, reason in _ASK.items() if name not in allowed})
    if "shell" in allowed:
        registry.add(shell)
    for module in modules:
        registry.load(module)
    return registry
