"""Spans of time as people write them."""

import re

import click

_SPAN = re.compile(r"([1-9][0-9]{0,8})([smhd]?)")
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class DurationParam(click.ParamType[int]):
    """Such as 90s, 30m, 1h or 7d [s]."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _SPAN.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is no duration; write 90s, 30m, 1h or 7d.", param, ctx)
        return int(match[1]) * _UNITS_S[match[2]]
