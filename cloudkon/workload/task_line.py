"""One line of a workload: what it may look like, and what it means. Task text is never evaluated."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudkon.errors import CloudKonError

MAX_LINE_BYTES = 200 * 1024
"""A line above this is rejected: escaped for the wire it would outgrow an SQS message (1 MiB)."""
MAX_DEPTH = 200
"""Lists and objects within each other: far from where a stack ends, on whichever thread the line is read."""
_TOO_DEEP = f"nested too deeply: more than {MAX_DEPTH} lists and objects within each other"
_JSON_NAME = re.compile(r'"task"\s*:\s*"([^"\\]*)"')
_NEEDS_SHLEX = frozenset("\"'\\")
_CLOSED = re.compile(r"""(?:[^"']++|"[^"]*+"|'[^']*+')*+""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_WORD = re.compile(r"""(?:[^ \t"']++|"[^"]*+"|'[^']*+')++""")
_MAX_ID_CHARACTERS = 256


class LineError(CloudKonError):
    """A line is no task; the message is the reason that its author reads."""


@dataclass(frozen=True, slots=True)
class Task:
    """A unit of execution: a handler's name and the arguments it is called with."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    line: str = field(default="", compare=False, repr=False)
    """The line of words that it was read from; empty if it was JSON."""

    @property
    def rest(self) -> str | None:
        """What follows the name, as it stands in a line of words; None if that can't be told, or was JSON."""
        name, *rest = self.line.split(maxsplit=1)[:2] or [""]
        return rest[0] if rest and name == self.name else None


def parse_task(line: str) -> Task:
    """Read a line as words (quoted as shlex does) or as a JSON object; raise LineError with the reason."""
    if line.lstrip(" \t").startswith("{"):
        return _from_json(line)
    return _from_words(line)


def is_task_line(line: str) -> bool:
    """Blank lines and lines that begin with # are no tasks."""
    return bool(line) and not line.startswith("#") and not line.isspace()


def first_word(line: str) -> str:
    """The name of a line's task, as far as that can be told without reading the whole line; empty if it can't."""
    if line.startswith("{"):
        found = _JSON_NAME.search(line)
        return found[1] if found else ""
    return line.split(maxsplit=1)[0]


def _from_words(line: str) -> Task:
    if line.isprintable() and _NEEDS_SHLEX.isdisjoint(line):
        words = line.split()  # what shlex would do, at a thirtieth of its cost: all that is blank in it are spaces
    else:
        _refuse_control_characters(line)
        words = _quoted_words(line)
    if not words or not words[0]:
        raise LineError("the task has no name")
    return Task(words[0], tuple(words[1:]), line=line)


def _quoted_words(line: str) -> list[str]:
    """What shlex makes of a line; where it has no backslash and every quote is closed, at a tenth of the cost."""
    if "\\" not in line and _CLOSED.fullmatch(line):
        return [_QUOTED.sub(r"\1\2", word) for word in _WORD.findall(line)]
    try:
        return shlex.split(line)
    except ValueError as error:
        raise LineError(f"{str(error).rstrip('.').lower()}; a quote inside a word is written \\' or \\\"") from error


def json_value(line: str) -> Any:
    """What a line of JSON holds; raise LineError with the reason."""
    _refuse_control_characters(line)
    try:
        value = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise LineError(f"not valid JSON: {error.msg.lower()} at column {error.colno}") from error
    except RecursionError as error:
        raise LineError(_TOO_DEEP) from error
    except ValueError as error:  # a number of thousands of digits
        raise LineError(f"not valid JSON: {error}") from error
    if line.count("[") + line.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise LineError(_TOO_DEEP)
    if "\\u" in line:
        _refuse_half_characters(value)
    return value


def _from_json(line: str) -> Task:
    value = json_value(line)
    name, args, task_id = value.pop("task", None), value.pop("args", []), value.pop("id", None)
    if not isinstance(name, str) or not name:
        raise LineError('the JSON object has no "task": the name of the task, as a string')
    if not isinstance(args, list):
        raise LineError('"args" is not a list')
    if task_id is not None and not (isinstance(task_id, str) and 0 < len(task_id) <= _MAX_ID_CHARACTERS):
        raise LineError(f'"id" is not a string of 1 to {_MAX_ID_CHARACTERS} characters')
    return Task(name, tuple(args), value, task_id)


def _refuse_half_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise LineError("not valid JSON: half of a surrogate pair, which is no character") from error


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, list | dict)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _refuse_constant(name: str) -> None:
    raise LineError(f"not valid JSON: {name} is not a number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
"""Made once: json.loads makes one for each line, which takes longer than most lines."""


def _refuse_control_characters(line: str) -> None:
    if line.isprintable():
        return
    for column, character in enumerate(line, start=1):
        if character < " " and character != "\t":
            raise LineError(f"control character U+{ord(character):04X} at column {column}")
