"""What an exception or a value says of itself, whatever its methods do."""

_MAX_CHARACTERS = 10_000
"""More than any place that shows it has room for."""


def error_text(error: BaseException) -> str:
    """The exception's words; whatever its __str__ does, this returns text of bounded length."""
    try:
        return str.__str__(str(error))[:_MAX_CHARACTERS]
    except BaseException:  # noqa: BLE001 (a __str__ that raises, sys.exit too, is the handler's, and must not end the slot)
        return "(its message can't be shown)"


def type_name(value: object) -> str:
    """The name of a value's type, with its module where that tells more."""
    kind = type(value)
    try:
        return str.__str__(kind.__name__)[:200]
    except BaseException:  # noqa: BLE001 (a metaclass may raise as well)
        return "(a type without a name)"
