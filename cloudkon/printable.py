"""Text of anybody's making, such as a key, a file's or a worker's name, an error: made safe for a terminal or a log."""

_STANDS_FOR_OTHERS = "\ufffd"


def printable(text: str) -> str:
    """The text with U+FFFD for each character that can't be printed.

    Control characters move the cursor and change a terminal's title, bidirectional controls turn a line around, and
    halves of surrogate pairs can't be written at all: none of them is printable.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _STANDS_FOR_OTHERS for character in text)


def one_line(text: str, most: int | None = 200) -> str:
    """The text on one line, blanks put together, cut off after so many characters (None: not at all)."""
    line = " ".join(text.split())
    if most is None or len(line) <= most:
        return printable(line)
    return f"{printable(line[:most])} ..."
