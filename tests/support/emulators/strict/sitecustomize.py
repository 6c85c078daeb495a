"""Makes what tests start as strict as AWS: Python loads this where PYTHONPATH has the folder.

The embedded cloud refuses what AWS refuses, and every process of ours has botocore check what it asks for.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_SESSION = "cloudkon.aws.session"

if sys.orig_argv[1:3] == ["-m", "ministack"]:
    from tests.support.emulators import strict_ministack

    strict_ministack.refuse_second_mappings()
    strict_ministack.ask_for_partiql_actions()
    strict_ministack.ask_for_keys()


class _Validating(MetaPathFinder):
    """Switches the validation of parameters on, once the module that has the switch is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _SESSION:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        loader: Any = None if spec is None else spec.loader
        execute = loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            module.VALIDATES = True

        loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _Validating())
