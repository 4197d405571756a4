"""Which gesture is taken for which, with the clips behind every mistake; and labels that look wrong."""

from collections import Counter, defaultdict

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from report.blocks import Clips, Confusion, Section, Table, Text, percent
from report.run_files import RunFiles

SHADES = (0.0, 0.05, 0.15, 0.35, 0.6)  # a cell's share of its row: above the nth, shade n + 1
NUM_LARGEST = 8
LISTED = 60  # clips listed of a cell
NUM_SUSPECTS = 24


def confusion(files: RunFiles) -> list:
    """The matrix, classes that are alike beside each other."""
    shown, names = files.shown, files.clips1.classes
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (shown.label, shown.predicted), 1)
    used = np.flatnonzero(counts.sum(0) + counts.sum(1))
    order = used[order_by_likeness(counts[np.ix_(used, used)])]
    sorted_counts = counts[np.ix_(order, order)]
    share = sorted_counts / np.maximum(sorted_counts.sum(1, keepdims=True), 1)
    levels = (share[..., None] > np.array(SHADES)).sum(-1)
    cells = wrong_clips(files)
    position = {k: i for i, k in enumerate(order.tolist())}
    clips = {f"{position[t]}-{position[p]}": rows[:LISTED] for (t, p), rows in cells.items()}
    labels = [
        [_sentence(names[t], names[p], sorted_counts[i, j], share[i, j]) for j, p in enumerate(order)]
        for i, t in enumerate(order)
    ]
    largest = sorted(cells, key=lambda cell: (-len(cells[cell]), cell))[:NUM_LARGEST]
    opened = [(f"{position[t]}-{position[p]}", labels[position[t]][position[p]]) for t, p in largest]
    return [
        Confusion(
            f"Rows are the labels, columns the answers of {shown.how}. A number is a count of clips, a shade its share "
            "of the row.",
            [names[k] for k in order],
            sorted_counts.tolist(),
            levels.tolist(),
            labels,
            clips,
            opened,
        )
    ]


def wrong_clips(files: RunFiles) -> dict[tuple[int, int], list[list]]:
    """(label, answer) -> [clip id, probability of the answer, of the label], the surest mistake first."""
    shown = files.shown
    probabilities = shown.probabilities / shown.probabilities.sum(1, keepdims=True)
    cells: dict[tuple[int, int], list[list]] = defaultdict(list)
    for i in np.flatnonzero(shown.predicted != shown.label):
        t, p = int(shown.label[i]), int(shown.predicted[i])
        both = [round(float(probabilities[i, k]), 2) for k in (p, t)]
        cells[t, p].append([str(shown.clip_id[i]), *both])
    for rows in cells.values():
        rows.sort(key=lambda row: (row[2] - row[1], row[0]))
    return dict(cells)


def order_by_likeness(counts: np.ndarray) -> np.ndarray:
    """(K,) order of classes in which those that are taken for each other are neighbours.

    Leaves of an average-linkage tree over the shares confused, both ways, in the order of least distance between
    neighbours (Bar-Joseph et al., Bioinformatics 17, 2001).
    """
    if len(counts) < 3:
        return np.arange(len(counts))
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    alike = (share + share.T) / 2
    np.fill_diagonal(alike, 1)
    return leaves_list(linkage(squareform(1 - np.minimum(alike, 1)), "average", optimal_ordering=True))


def suspects(files: RunFiles) -> list[tuple[str, int, int, int, float]]:
    """(clip id, label, class agreed on, networks that agree, probability of that class), the most suspicious first.

    More than half of the networks, three at least, name the same other class, and their mean probability of it is at
    least what it is on average for clips with that label (confident learning, Northcutt et al., JAIR 70, 2021).
    """
    entries = files.entries
    logits = entries.logits[files.networks]
    probabilities = np.exp(logits - logits.max(2, keepdims=True))
    mean = (probabilities / probabilities.sum(2, keepdims=True)).mean(0)
    answers = logits.argmax(2)
    usual = {int(k): mean[entries.label == k, k].mean() for k in np.unique(entries.label)}
    found = []
    for i, label in enumerate(entries.label.tolist()):
        other, votes = Counter(answers[:, i].tolist()).most_common(1)[0]
        if other != label and votes >= max(3, len(answers) // 2 + 1) and mean[i, other] >= usual.get(other, 1) - 1e-9:
            found.append((str(entries.clip_id[i]), label, other, votes, float(mean[i, other])))
    return sorted(found, key=lambda one: (-one[3], -one[4], one[0]))


def wrong_labels(files: RunFiles) -> list:
    found, names, number = suspects(files), files.clips1.classes, len(files.networks)
    if not found:
        return [Text(f"No clip on whose other class most of the {number} networks agree.")]
    worst = found[:NUM_SUSPECTS]
    rows = [[id_, names[t], names[p], f"{votes} of {number}", percent(share, 0)] for id_, t, p, votes, share in worst]
    items = [(id_, f"label {names[t]}; {votes} of {number} say {names[p]}") for id_, t, p, votes, _ in worst]
    columns = ["clip", "label", "networks say", "agree", "probability"]
    told = (
        f"{len(found)} clips; the {len(worst)} on which most agree are shown. An agreed mistake looks the same: look."
    )
    return [Text(told), Table("Labels that look wrong", columns, rows, is_folded=True), Clips(items)]


def clips_to_show(files: RunFiles, most: int, of_a_cell: int) -> list[str]:
    """Ids whose strips the page carries: likely wrong labels, then the surest mistakes, a few of each cell."""
    wanted = [one[0] for one in suspects(files)[:NUM_SUSPECTS]]
    mistakes = sorted((row[2] - row[1], row[0]) for rows in wrong_clips(files).values() for row in rows[:of_a_cell])
    return list(dict.fromkeys([*wanted, *(id_ for _, id_ in mistakes)]))[:most]


def _sentence(truth: str, answer: str, count: int, share: float) -> str:
    clips = f"{count} clip{'' if count == 1 else 's'}, {100 * share:.0f} %"
    return f"{truth} named right: {clips}" if truth == answer else f"{truth} taken for {answer}: {clips}"


CONFUSION = Section(
    "confusion",
    "What is taken for what",
    "Classes that are confused stand beside each other. Open a cell to see its clips; arrow keys move between cells.",
)
WRONG_LABELS = Section(
    "wrong_labels", "Likely wrong labels", "Clips for which most networks agree on another class than the label."
)
