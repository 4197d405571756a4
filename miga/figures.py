"""Pictures of matplotlib's figures: the same figure gives the same bytes."""

from pathlib import Path

from matplotlib.figure import Figure

from miga.files import replacing


def write_png(figure: Figure, path: Path) -> None:
    """Write the figure whole or not at all."""
    figure.tight_layout()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120, metadata={"Software": None})
