"""What an insight shows, as plain records: tables, plots and sentences, which the report draws."""

from typing import Annotated, Literal

import pydantic

from mtlx.transform.config.settings import Settings


class Cell(Settings):
    """One number of a table, or a text.

    Attributes:
        value: None for a dash.
        error: what stands behind the value as ±; None for nothing.
        digits: decimals.
        percent: shown times 100, with the sign.
        text: in the place of a number.
        bar: length of a bar below it, 0 to 1; None for none.
    """

    value: float | None = None
    error: float | None = None
    digits: int = 4
    percent: bool = False
    text: str | None = None
    bar: float | None = None


class Row(Settings):
    """One row of a table.

    Attributes:
        head: what it is of.
        cells: in the order of the table's columns.
    """

    head: str
    cells: list[Cell]


class Table(Settings):
    """Numbers by row and column.

    Attributes:
        title: what they are.
        columns: titles, that of the rows' heads first.
        rows: from top to bottom.
        shown: so many rows at once, the others behind a click.
        folded: the whole table stands behind a click.
    """

    kind: Literal["table"] = "table"
    title: str
    columns: list[str]
    rows: list[Row]
    shown: int = 20
    folded: bool = False


class Series(Settings):
    """Points of one colour and mark.

    Attributes:
        name: what they have in common.
        points: ``(x, y)``.
        labels: a name for each point, or none.
        faint: drawn in the background.
    """

    name: str
    points: list[tuple[float, float]]
    labels: list[str] = []
    faint: bool = False


class Plot(Settings):
    """Points, or lines, in two dimensions.

    Attributes:
        title: what is drawn.
        description: the same in a sentence with the numbers that matter, for who cannot see it.
        series: one colour and mark each.
        x_title: of the horizontal axis; empty where the axes mean nothing.
        y_title: of the vertical one.
        lines: points of a series are joined, left to right, instead of marked.
        named: labels of points that are written beside them; the others show on hovering.
    """

    kind: Literal["plot"] = "plot"
    title: str
    description: str
    series: list[Series]
    x_title: str = ""
    y_title: str = ""
    lines: bool = False
    named: list[str] = []


class Note(Settings):
    """A sentence or two.

    Attributes:
        text: of it.
    """

    kind: Literal["note"] = "note"
    text: str


class Heading(Settings):
    """A title between figures.

    Attributes:
        text: of it.
    """

    kind: Literal["heading"] = "heading"
    text: str


Figure = Annotated[Table | Plot | Note | Heading, pydantic.Field(discriminator="kind")]
