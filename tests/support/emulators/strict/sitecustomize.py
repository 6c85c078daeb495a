"""Makes the embedded cloud of the tests as strict as AWS: Python loads this where PYTHONPATH has the folder."""

import sys

if sys.orig_argv[1:3] == ["-m", "ministack"]:
    from tests.support.emulators.strict_ministack import refuse_second_mappings

    refuse_second_mappings()
