"""Wrong usage of a command in one line: what is wrong, the nearest that may have been meant, and where to look."""

from difflib import get_close_matches

import click
from click.exceptions import BadOptionUsage, BadParameter, MissingParameter, NoSuchOption, UsageError

_MOST_WORDS = 3
_OF_PARALLEL = {"-j": "-t", "--jobs": "--threads", "-P": "-t"}
"""What options of GNU parallel are called here, where no likeness of the names leads to it."""


def usage_text(error: UsageError) -> str:
    """The error and its cure as one line."""
    text = _said(error).rstrip()
    if not text.endswith((".", "?")):
        text += "."
    where = "" if error.ctx is None or "--help" in text else f" See {error.ctx.command_path} --help"
    return f"{text}{where}"


def _said(error: UsageError) -> str:
    match error:
        case NoSuchOption():
            return _no_such_option(error)
        case MissingParameter():
            return error.format_message()
        case BadParameter(param=click.Parameter() as parameter):
            return f"{_name(parameter)}: {_what_was_expected(error, parameter)}"
        case BadOptionUsage(option_name=str(name)) if "requires an argument" in error.message:
            return f"{name} needs a value after it"
    if error.ctx is not None and error.message.startswith("Got unexpected extra argument"):
        return (
            f"Too many arguments: {_first_of_many(error)}. Usage: {' '.join(_usage(error.ctx))}{_for_each(error.ctx)}"
        )
    return error.format_message()


def _first_of_many(error: UsageError) -> str:
    """The arguments that were too many; a pattern may have named thousands of files."""
    words = error.message.partition("(")[2].rstrip(")").split(" ")
    more = f" and {len(words) - _MOST_WORDS:,} more" if len(words) > _MOST_WORDS else ""
    return f"{' '.join(words[:_MOST_WORDS])}{more}"


def _for_each(ctx: click.Context) -> str:
    """The way to give values, for whom named several files in a command that takes values."""
    takes_values = any("--each" in parameter.opts for parameter in ctx.command.get_params(ctx))
    place = " LOCAL" if ctx.command.name == "run" else ""
    return f". For values: {ctx.command_path}{place} -- COMMAND {{}} ::: VALUE ..." if takes_values else ""


def _no_such_option(error: NoSuchOption) -> str:
    name, ctx = error.option_name, error.ctx
    if ctx is None:
        return error.format_message()
    known = [option for parameter in ctx.command.get_params(ctx) for option in parameter.opts]
    is_group = isinstance(ctx.command, click.Group)
    near = get_close_matches(name, [one for one in known if one.startswith("--")], 1, 0.8 if is_group else 0.6)
    said = f"{ctx.command_path} has no option {name}."
    if _OF_PARALLEL.get(name) in known:
        near = [_OF_PARALLEL[name]]
    if near:
        return f"{said} Did you mean {near[0]}?"
    if is_group:
        return f"{said} Options of a command stand behind it: {ctx.command_path} COMMAND {name}"
    return said


def _name(parameter: click.Parameter) -> str:
    """As a person wrote it, by its longest name."""
    return max(parameter.opts, key=len) if isinstance(parameter, click.Option) else (parameter.name or "").upper()


def _what_was_expected(error: BadParameter, parameter: click.Parameter) -> str:
    kind = parameter.type
    match kind:
        case click.IntRange() | click.types.IntParamType():
            return f"a whole number{_bounds(kind)} is needed, not {_given(error)}"
        case click.FloatRange() | click.types.FloatParamType():
            return f"a number{_bounds(kind)} is needed, not {_given(error)}"
        case click.Choice(choices=choices):
            near = get_close_matches(_given(error).strip("'").lower(), map(str, choices), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            return f"{_given(error)} is not one of {', '.join(map(str, choices))}.{hint}"
    return error.message


def _given(error: BadParameter) -> str:
    """What was given, as click quotes it at the beginning of its message."""
    return error.message.partition(" is not ")[0]


def _bounds(kind: "click.ParamType[object]") -> str:
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is not None and most is not None:
        return f" from {least:,} to {most:,}"
    return "" if least is None else f", {least:,} or more,"


def _usage(ctx: click.Context) -> list[str]:
    return [ctx.command_path, *ctx.command.collect_usage_pieces(ctx)]
