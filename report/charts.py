"""Charts as Vega-Lite specifications, which Altair checks. The page's script gives them the colours of light or dark.

The marks' colours have a contrast of 3 or more against both backgrounds (WCAG 2.2, 1.4.11).
"""

import altair as alt

BLUE, ORANGE, GREEN, GREY, PURPLE = "#3f7fc9", "#c8702a", "#2f8f63", "#808790", "#9a66b8"
SMALL_HEIGHT = 120


def records(**columns) -> alt.Data:
    """Columns of equal length -> inline rows."""
    names = list(columns)
    rows = zip(*(_plain(column) for column in columns.values()), strict=True)
    return alt.Data(values=[dict(zip(names, row, strict=True)) for row in rows])


def spec_of(chart: alt.TopLevelMixin, height: int | None = None) -> dict:
    """As wide as the page, so many pixels high."""
    size = {"width": "container"} | ({"height": height} if height else {})
    spec = chart.properties(**size).to_dict()
    for setting in ("config", "$schema"):
        spec.pop(setting, None)
    return spec


def colours(names: list[str], values: list[str]) -> alt.Scale:
    return alt.Scale(domain=names, range=values)


def _plain(column) -> list:
    values = column.tolist() if hasattr(column, "tolist") else list(column)
    return [round(value, 5) if isinstance(value, float) else value for value in values]
