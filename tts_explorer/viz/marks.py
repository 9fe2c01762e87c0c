"""The marks of a tree: shapes and colours that tell what became of a node, the same as the live view's (`assets/view`).

Constants and colour arithmetic; it knows no tree. A fate is told by its shape, and by colour only besides.
"""

from __future__ import annotations

from dataclasses import dataclass

SHAPES = {
    "disc": "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0",
    "hollow": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0",
    "cross": "M-5-5L5 5M-5 5L5-5",
    "ring": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "square": "M-7-7h14v14h-14z",
    "chosen": "M-7-7h14v14h-14zM-10.5-10.5h21v21h-21z",
}
"""SVG paths around the middle of a node."""
TICK = "M-3.5 0.2l2.6 2.8l4.6-5.6"
SYMBOLS = {
    "disc": ("circle", 14), "hollow": ("circle-open", 12), "cross": ("x-thin-open", 10), "ring": ("circle-open", 8),
    "square": ("square", 14), "chosen": ("square", 14),
}  # fmt: skip
"""Plotly's nearest symbol, and its size."""
FATES = {
    "kept": "disc", "open": "disc", "waiting": "hollow", "pruned": "cross", "duplicate": "ring", "finished": "square",
    "selected": "chosen",
}  # fmt: skip
"""The shape of each fate."""
SAYS = {
    "kept": "kept or open", "waiting": "waiting for a score", "pruned": "pruned", "duplicate": "duplicate of a sibling",
    "finished": "finished answer", "selected": "the chosen answer",
}  # fmt: skip
"""What the legend says; an open node looks as a kept one."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by their part in the picture; `low` and `high` are the ends of the scores' ramp."""

    ink: str
    quiet: str
    line: str
    card: str
    page: str
    low: str
    high: str
    edge: str
    gone: str
    path: str
    right: str
    wrong: str
    lanes: tuple[str, ...]
    """Hues of neighbouring subtrees, told apart by colour-blind eyes too."""

    def ramp(self, score: float) -> str:
        """The colour of a score in [0, 1].

        >>> LIGHT.ramp(0.0), LIGHT.ramp(1.0)
        ('#e3edf9', '#0a4a94')
        """
        part = min(1.0, max(0.0, score))
        pairs = zip(_oklab(self.low), _oklab(self.high), strict=True)
        return _hex(tuple(low + (high - low) * part for low, high in pairs))

    @property
    def scale(self) -> list[list[float | str]]:
        """The ramp as Plotly takes it."""
        return [[i / 8, self.ramp(i / 8)] for i in range(9)]

    def lane(self, number: int) -> str:
        """The hue of a lane; after the last comes the first."""
        return self.lanes[number % len(self.lanes)]

    def against(self, score: float) -> str:
        """Ink that is read on the colour of a score."""
        colour = self.ramp(score)
        return max((self.ink, self.card), key=lambda ink: contrast(ink, colour))


LIGHT = Palette(
    ink="#1f2937", quiet="#5b6472", line="#e5e7eb", card="#ffffff", page="#f8fafc", low="#e3edf9", high="#0a4a94",
    edge="#8490a0", gone="#6b7280", path="#c2410c", right="#15803d", wrong="#b91c1c",
    lanes=("#0072b2", "#b87400", "#009e73", "#b0568c", "#d55e00"),
)  # fmt: skip
DARK = Palette(
    ink="#f3f4f6", quiet="#a3adbb", line="#374151", card="#1f2937", page="#0b0f19", low="#22364f", high="#9dd0ff",
    edge="#74839a", gone="#a3adbb", path="#fb923c", right="#4ade80", wrong="#fca5a5",
    lanes=("#56b4e9", "#e69f00", "#2fc79c", "#cc79a7", "#f0803c"),
)  # fmt: skip


def palette(dark: bool) -> Palette:
    return DARK if dark else LIGHT


def veil(colour: str, opacity: float) -> str:
    """A colour that lets through what is beneath.

    >>> veil("#0a4a94", 0.5)
    'rgba(10,74,148,0.5)'
    """
    return f"rgba({','.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))},{opacity})"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2 between two colours, 1 to 21.

    >>> contrast("#ffffff", "#000000")
    21.0
    """
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> tuple[float, ...]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
FROM_LAB = ((1, 0.3963377774, 0.2158037573), (1, -0.1055613458, -0.0638541728), (1, -0.0894841775, -1.2914855480))
FROM_CONES = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
"""Oklab, as CSS mixes colours in it."""


def _times(matrix: tuple[tuple[float, ...], ...], vector: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _oklab(colour: str) -> tuple[float, ...]:
    return _times(TO_LAB, tuple(cone ** (1 / 3) for cone in _times(TO_CONES, _linear(colour))))


def _hex(lab: tuple[float, ...]) -> str:
    parts = _times(FROM_CONES, tuple(cone**3 for cone in _times(FROM_LAB, lab)))
    encoded = [12.92 * p if p <= 0.0031308 else 1.055 * p ** (1 / 2.4) - 0.055 for p in parts]
    return "#" + "".join(f"{min(255, max(0, round(part * 255))):02x}" for part in encoded)
