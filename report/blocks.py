"""What a section of the page is made of: text, figures, tables, charts; `templates/blocks.html` draws them."""

import re
from dataclasses import dataclass, field
from functools import cached_property

NONE = "\N{EN DASH}"  # a figure that cannot be had
NUMBER = re.compile(rf"[-+]?[\d.,]+( ?%)?( to [\d.]+ ?%?)?|{NONE}|")


@dataclass(frozen=True)
class Text:
    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Figures:
    """Large numbers: (name, value, what it says)."""

    items: list[tuple[str, str, str]]
    kind: str = "figures"


@dataclass(frozen=True)
class Table:
    """Text cells; the first column names the row. A folded one opens on demand."""

    caption: str
    columns: list[str]
    rows: list[list[str]]
    is_folded: bool = False
    kind: str = "table"

    @cached_property
    def is_number(self) -> list[bool]:
        """Whether a column holds numbers, which stand to the right."""
        return [
            bool(self.rows) and all(NUMBER.fullmatch(row[i]) for row in self.rows) for i in range(len(self.columns))
        ]


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart, what it shows in words, and its numbers as a table for those who cannot see it."""

    title: str
    description: str
    spec: dict
    table: Table | None = None
    kind: str = "chart"


@dataclass(frozen=True)
class SmallCharts:
    """Charts side by side, as many as the page is wide."""

    charts: list[Chart]
    table: Table | None = None
    kind: str = "small_charts"


@dataclass(frozen=True)
class Picture:
    """src: a data URI."""

    src: str
    alt: str
    kind: str = "picture"


@dataclass(frozen=True)
class Confusion:
    """A matrix whose cells open the clips in them.

    classes: names in the order of rows and columns. counts, levels: (K, K), clips and shade 0 to 5. clips: cell
    `true-predicted` -> [clip id, probability of the predicted class, of the true class], the worst first.
    """

    caption: str
    classes: list[str]
    counts: list[list[int]]
    levels: list[list[int]]
    labels: list[list[str]]  # a sentence a cell, to be read aloud
    clips: dict[str, list[list]]
    largest: list[tuple[str, str]]  # cell, sentence
    kind: str = "confusion"


@dataclass(frozen=True)
class Clips:
    """Clips with a caption each; their strips move where there are some."""

    items: list[tuple[str, str]]  # clip id, caption
    kind: str = "clips"


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    lead: str  # what one sees, in a sentence or two
    blocks: list = field(default_factory=list)
    missing: str = ""  # instead of blocks: which step makes it


def number(value: float | None, digits: int = 3) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    return NONE if value is None else f"{100 * value:.{digits}f} %"
