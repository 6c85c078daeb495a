"""Charts of what was measured, as SVG: middle tones on no ground, which read on white and on black."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

INK = "#768390"
COLOURS = ("#2f81f7", "#d9822b", "#2da44e", "#bf4b8a", "#8a63d2", "#9a8c1f")
_FONT = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_LINE_HEIGHT = 22


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a value stands between two ends of a drawing."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        low, high, value = (
            (log10(v) for v in (self.low, self.high, value)) if self.logarithmic else (self.low, self.high, value)
        )
        return self.start + (value - low) / (high - low) * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis says, and the values that it marks, of which the first and the last are its ends."""

    label: str
    marks: Mapping[float, str]
    logarithmic: bool = False

    def scale(self, start: float, end: float) -> Scale:
        return Scale(min(self.marks), max(self.marks), start, end, self.logarithmic)


Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One field of lines; a name that is also in another panel has the same colour there."""

    title: str
    across: Axis
    up: Axis
    lines: Mapping[str, Points]
    ideal: Points = ()
    """Drawn dashed."""


def lines(title: str, told: str, panels: Sequence[Panel], columns: int = 2) -> str:
    """Draw panels side by side, with one key for all."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    width, height, top = 860 / columns, 270, 64
    parts = list(_key(names))
    for number, panel in enumerate(panels):
        left, above = number % columns * width, top + number // columns * height
        parts.append(f'<g transform="translate({left:.0f} {above})">{"".join(_panel(panel, names, width, height))}</g>')
    return _picture(title, told, 860, top + height * -(-len(panels) // columns), parts)


def _panel(panel: Panel, names: Sequence[str], width: float, height: float) -> Iterator[str]:
    across, up = panel.across.scale(62, width - 22), panel.up.scale(height - 58, 24)
    yield _text(62, 10, panel.title, weight="600")
    for value, mark in panel.up.marks.items():
        yield f'<path d="M62 {up.at(value):.1f}H{width - 22:.0f}" stroke="{INK}" stroke-opacity="0.3"/>'
        yield _text(56, up.at(value) + 4, mark, anchor="end")
    for value, mark in panel.across.marks.items():
        yield _text(across.at(value), height - 40, mark, anchor="middle")
    yield _text((62 + width - 22) / 2, height - 20, panel.across.label, anchor="middle")
    yield _text(0, 0, panel.up.label, anchor="middle", turn=f"translate(14 {(height - 34) / 2:.0f}) rotate(-90)")
    if panel.ideal:
        yield _line(panel.ideal, across, up, INK, dashed=True)
    for name, points in panel.lines.items():
        colour = COLOURS[names.index(name)]
        yield _line(points, across, up, colour)
        yield from (f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="3.2" fill="{colour}"/>' for x, y in points)


def _line(points: Points, across: Scale, up: Scale, colour: str, *, dashed: bool = False) -> str:
    way = "L".join(f"{across.at(x):.1f} {up.at(y):.1f}" for x, y in points)
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'


def bars(
    title: str, told: str, groups: Mapping[str, Mapping[str, float]], axis: Axis, shown: Callable[[float], str]
) -> str:
    """Draw a bar for each value of each group, the value beside it; on a logarithmic axis, dots instead of bars."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    parts, y, several = (list(_key(names)) if len(names) > 1 else []), 64 if len(names) > 1 else 44, len(names) > 1
    across = axis.scale(260, 780)
    for group, values in groups.items():
        middle = y + (_LINE_HEIGHT - 6) * len(values) / 2 + 4
        parts.append(_text(250, middle, group, anchor="end"))
        for name, value in values.items():
            colour = COLOURS[names.index(name)] if several else COLOURS[0]
            parts += _bar(across, value, y, colour, shown(value), logarithmic=axis.logarithmic)
            y += _LINE_HEIGHT - 6
        y += 10
    for value, mark in axis.marks.items():
        parts.append(f'<path d="M{across.at(value):.1f} {y}v5" stroke="{INK}"/>')
        parts.append(_text(across.at(value), y + 20, mark, anchor="middle"))
    parts.append(_text(520, y + 42, axis.label, anchor="middle"))
    return _picture(title, told, 860, y + 54, parts)


def _bar(across: Scale, value: float, y: float, colour: str, shown: str, *, logarithmic: bool) -> Iterator[str]:
    end = across.at(max(value, across.low))
    if logarithmic:
        yield f'<path d="M260 {y + 7}H{end:.1f}" stroke="{INK}" stroke-opacity="0.3"/>'
        yield f'<circle cx="{end:.1f}" cy="{y + 7}" r="5" fill="{colour}"/>'
    else:
        yield f'<rect x="260" y="{y}" width="{max(1.0, end - 260):.1f}" height="13" fill="{colour}"/>'
    yield _text(end + 9, y + 12, shown)


def _key(names: Sequence[str]) -> Iterator[str]:
    left = 62.0
    for number, name in enumerate(names):
        yield f'<circle cx="{left:.0f}" cy="44" r="5" fill="{COLOURS[number]}"/>'
        yield _text(left + 10, 48, name)
        left += 32 + 6.9 * len(name)


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "400", turn: str = "") -> str:
    turned = f' transform="{turn}"' if turn else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" font-size="12.5" font-weight="{weight}" '
        f'text-anchor="{anchor}"{turned}>{escape(text)}</text>'
    )


def _picture(title: str, told: str, width: float, height: float, parts: Sequence[str]) -> str:
    """A whole SVG; told says in words what it shows, to those who can't see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-labelledby="title desc" font-family="{_FONT}">\n'
        f'<title id="title">{escape(title)}</title>\n<desc id="desc">{escape(told)}</desc>\n'
        f'<text x="8" y="20" fill="{INK}" font-size="15" font-weight="600">{escape(title)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
