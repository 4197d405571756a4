"""The long tail in parts A-D, and the training sets of the tail models.

Source: M2HEN (MiGA 2024), section on group training and figure 2. The paper's rule: a part holds the classes with at
least a fifth of the clips of the largest class that is left. Where it is silent, the choice is stated below.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from miga.clips import Clips

PART_NAMES = "ABCD"
LIMIT = 5  # a class belongs to a part when it has at least 1 / LIMIT of the clips of the part's largest class
OTHERS = "OTHERS"  # the one class that a tail model has for all head classes
FEW_TAIL_CLIPS = 10  # with fewer in all, nothing but a classifier can be learnt
MIN_OTHERS = 2  # clips drawn of each head class, however few the tail has


def class_parts(counts: Sequence[int] | np.ndarray) -> tuple[np.ndarray, ...]:
    """Divide classes by the number of their training clips into at most four parts, the most frequent first.

    The fourth part takes whatever is left. Few or evenly frequent classes give fewer parts; one part means that there
    is no tail. A class without a clip is in no part, since nothing can be learnt of it.

    Args:
        counts: (K,) training clips of each class.
    Returns:
        arrays of class numbers, ordered by count, then by number.
    """
    counts = np.asarray(counts)
    left = np.lexsort((np.arange(len(counts)), -counts))
    left = left[counts[left] > 0]
    parts: list[np.ndarray] = []
    while len(left) and len(parts) < len(PART_NAMES) - 1:
        is_in = counts[left] * LIMIT >= counts[left[0]]
        parts.append(left[is_in])
        left = left[~is_in]
    if len(left):
        parts.append(left)
    return tuple(parts)


@dataclass(frozen=True)
class Trainset:
    """What the tail model number i learns: the classes of the i rarest parts, and OTHERS for the rest.

    number: i. tail: (K_i,) class numbers in increasing order, which is the order of the outputs; OTHERS comes last.
    head: the other classes that have clips. is_degenerate: whether there is too little to train more than a
    classifier: the fourth part alone, which the rule did not choose but left over (32 clips of five classes in
    iMiGUE), or a tail of fewer than FEW_TAIL_CLIPS clips.
    """

    number: int
    tail: np.ndarray
    head: np.ndarray
    is_degenerate: bool

    def output_of(self, labels: np.ndarray) -> np.ndarray:
        """Class numbers -> output numbers; every head class is OTHERS, and -1 (unknown) stays -1."""
        labels = np.asarray(labels)
        output = np.searchsorted(self.tail, labels)
        is_tail = np.isin(labels, self.tail)
        return np.where(is_tail, output, np.where(labels < 0, -1, len(self.tail)))

    def class_names(self, classes: Sequence[str]) -> tuple[str, ...]:
        return (*(classes[c] for c in self.tail), OTHERS)

    def relabelled(self, clips: Clips) -> Clips:
        """The same clips as this set names them."""
        table = clips.table.assign(label=self.output_of(clips.table.label.to_numpy()))
        return replace(clips, table=table, classes=self.class_names(clips.classes), mirror=self.mirror_of(clips.mirror))

    def mirror_of(self, mirror: np.ndarray | None) -> np.ndarray | None:
        """Output number of the mirror image of each output; None where one of the tail is in the head, or unknown."""
        if mirror is None or not np.isin(mirror[self.tail], self.tail).all():
            return None
        return np.append(self.output_of(mirror[self.tail]), len(self.tail))


def tail_trainsets(counts: Sequence[int] | np.ndarray) -> list[Trainset]:
    """The sets i = parts - 1, ..., 1, as the paper orders them; the set of all parts is the primary model's own."""
    counts = np.asarray(counts)
    parts = class_parts(counts)
    sets = []
    for number in range(len(parts) - 1, 0, -1):
        tail, head = np.sort(np.concatenate(parts[-number:])), np.sort(np.concatenate(parts[:-number]))
        is_left_over = number == 1 and len(parts) == len(PART_NAMES)
        sets.append(Trainset(number, tail, head, is_left_over or int(counts[tail].sum()) < FEW_TAIL_CLIPS))
    return sets


def spread_evenly(total: int, available: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Divide `total` over classes as evenly as what each has allows; a remainder goes to classes drawn at random.

    Args:
        available: (C,) clips of each class. When they are fewer than `total`, all are taken.
    Returns:
        (C,) ints, none above `available`.
    """
    shares = np.zeros(len(available), dtype=int)
    left = min(total, int(available.sum()))
    while left:
        open_ = np.flatnonzero(shares < available)
        if left < len(open_):
            shares[rng.choice(open_, left, replace=False)] += 1
            break
        step = min(left // len(open_), int((available - shares)[open_].min()))
        shares[open_] += step
        left -= step * len(open_)
    return shares


def part_rows(trainset: Trainset, rows: np.ndarray, labels: np.ndarray, seed: int) -> Callable[[int], np.ndarray]:
    """Training rows of an epoch: every tail clip, and as many of OTHERS, drawn anew each epoch.

    The paper does not say how many. As many as the tail has, from every head class evenly, so that no head class is
    unknown to the tail model; at least MIN_OTHERS of each head class.

    Args:
        rows: (N,) the fold's training rows of the clip table.
        labels: (clips,) class numbers of the whole table.
    """
    of_class = {int(c): rows[labels[rows] == c] for c in trainset.head}
    head = [c for c in of_class if len(of_class[c])]
    available = np.array([len(of_class[c]) for c in head])
    tail = rows[np.isin(labels[rows], trainset.tail)]
    total = max(len(tail), int(np.minimum(available, MIN_OTHERS).sum()))

    def rows_of_epoch(epoch: int) -> np.ndarray:
        rng = np.random.default_rng([seed, trainset.number, epoch])
        shares = spread_evenly(total, available, rng)
        others = [rng.choice(of_class[c], share, replace=False) for c, share in zip(head, shares, strict=True)]
        return np.sort(np.concatenate([tail, *others]))

    return rows_of_epoch


def balanced_rows(rows: np.ndarray, labels: np.ndarray, seed: int) -> Callable[[int], np.ndarray]:
    """Rows of an epoch with every class equally often, as many as there are rows; drawn anew each epoch.

    A class comes round again only after each of its clips was drawn. Source: class-balanced sampling of
    Kang et al., Decoupling representation and classifier (arXiv 1910.09217), section 3.
    """
    of_class = [rows[labels[rows] == c] for c in np.unique(labels[rows])]
    unlimited = np.full(len(of_class), len(rows))

    def rows_of_epoch(epoch: int) -> np.ndarray:
        rng = np.random.default_rng([seed, epoch])
        shares = spread_evenly(len(rows), unlimited, rng)
        drawn = []
        for own, share in zip(of_class, shares, strict=True):
            rounds = -(-share // len(own))
            drawn.append(np.concatenate([rng.permutation(own) for _ in range(rounds)])[:share])
        return np.sort(np.concatenate(drawn))

    return rows_of_epoch


def describe_parts(counts: Sequence[int] | np.ndarray, classes: Sequence[str]) -> str:
    """A line for each part, and one for what is unusual."""
    counts = np.asarray(counts)
    parts = class_parts(counts)
    lines = [
        f"  part {name}: {len(part)} classes, {counts[part].sum()} clips, {counts[part].min()} to "
        f"{counts[part].max()} a class: {', '.join(classes[c] for c in part)}"
        for name, part in zip(PART_NAMES, parts, strict=False)
    ]
    if len(parts) < len(PART_NAMES):
        lines.append(f"  note: {len(parts)} parts instead of {len(PART_NAMES)}: the classes differ less in frequency")
    empty = [classes[c] for c in np.flatnonzero(counts == 0).tolist()]
    if empty:
        lines.append(f"  note: no training clip of {', '.join(empty)}: in no part")
    return "\n".join(lines)
