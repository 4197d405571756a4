"""How many training clips each class has, with the parts A to D, as a picture (M2HEN, figure 2)."""

from pathlib import Path

import numpy as np

from ensemble.parts import PART_NAMES, class_parts
from folds.make import load_folds
from miga.clips import load_clips
from miga.paths import class_distribution_png

COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:red")


def draw_class_distribution(run: str) -> Path:
    """Write report/<run>/class_distribution.png: a bar a class, the most frequent first, one colour a part."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from miga.figures import write_png

    clips, folds = load_clips(run, "track1"), load_folds(run)
    counts = np.bincount(folds.label[folds.fold >= 0], minlength=clips.num_classes)
    figure, axes = plt.subplots(figsize=(9, 4))
    place = 0
    for part, name, colour in zip(class_parts(counts), PART_NAMES, COLOURS, strict=False):
        where = np.arange(place, place + len(part))
        axes.bar(
            where, counts[part], color=colour, label=f"part {name}: {len(part)} classes, {counts[part].sum()} clips"
        )
        place += len(part)
    order = np.concatenate(class_parts(counts)) if counts.any() else np.zeros(0, int)
    axes.set_xticks(np.arange(len(order)), [clips.classes[c] for c in order], rotation=90, fontsize=7)
    axes.set_yscale("log")
    axes.set_ylabel("training clips")
    axes.legend()
    path = class_distribution_png(run)
    write_png(figure, path)
    plt.close(figure)
    return path
