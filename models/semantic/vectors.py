"""A vector for every class name: the mean of its words' vectors, from a file or from the letters of the words.

File: one word a line and its 300 numbers, separated by spaces, as GloVe and (after a line of two counts) word2vec write
them (Pennington et al., EMNLP 2014). It is used as it is.

Without a file: a word is the sum of its parts, the word itself and its runs of 3 to 5 letters with the ends marked, as
in fastText (Bojanowski et al., arXiv 1607.04606), section 3.2. Each part has 300 fixed signs from a hash of its
letters, and the sum is divided by the square root of their number, so every dimension has variance one over words.
Names that share words or stems are near each other; meaning beyond the letters is not known to it.

Mean over the words of a name: Li et al. (arXiv 2307.10624).
"""

import hashlib
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miga.errors import InputError

DIMS = 300
WORDS_SHOWN = 20


def name_vectors(names: tuple[str, ...], vectors_file: str = "") -> NDArray[np.float32]:
    """(K, 300) float32, one row a class name.

    Args:
        names: class names; any text. Words are split at spaces, punctuation and capitals, and lower-cased.
        vectors_file: word vectors in GloVe text form; empty = from the letters.
    Raises:
        InputError: the file is absent, lacks a word, or has another width.
    """
    words_of = [split_words(name) for name in names]
    words = {word for words in words_of for word in words}
    vector_of = (
        read_word_vectors(vectors_file, words) if vectors_file else {word: letter_vector(word) for word in words}
    )
    return np.stack([np.mean([vector_of[word] for word in words], axis=0) for words in words_of]).astype(np.float32)


def split_words(name: str) -> list[str]:
    """The lower-case words of a class name: 'rub hand', 'rub_hand' and 'RubHand' are the same two words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W_]+", spaced.lower()) or [name.lower()]


def letter_vector(word: str) -> NDArray[np.float64]:
    """(300,) of a word from its letters alone: see the top of this file."""
    marked = f"<{word}>"
    parts = {marked} | {marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)}
    return sum(map(_signs, sorted(parts))) / np.sqrt(len(parts))


def _signs(part: str) -> NDArray[np.float64]:
    """300 fixed values of -1 or 1."""
    digest = np.frombuffer(hashlib.shake_256(part.encode()).digest(-(-DIMS // 8)), np.uint8)
    return 2.0 * np.unpackbits(digest)[:DIMS].astype(np.float64) - 1.0


def read_word_vectors(path: str, words: set[str]) -> dict[str, NDArray[np.float64]]:
    """Read the vectors of these words; other lines are passed over, and reading stops at the last wanted word.

    Raises:
        InputError: no such file, a wanted word without a line, or a wanted line that is not 300 numbers.
    """
    if not Path(path).is_file():
        raise InputError(f"--vectors {path}: no such file; expected word vectors in GloVe text form")
    wanted = {word.encode(): word for word in words}
    found: dict[str, NDArray[np.float64]] = {}
    with open(path, "rb") as file:  # bytes: a few public tables hold words that are not valid text
        for number, line in enumerate(file, start=1):
            head = line[:200].split(maxsplit=1)
            word = wanted.get(head[0]) if head else None
            if word is None or word in found:
                continue
            values = _numbers(line.split()[1:])
            if values is None:  # a public table has entries of several words, such as "at name@domain.com"
                continue
            if len(values) != DIMS or not np.isfinite(values).all():
                what = f"{len(values)} numbers" if len(values) != DIMS else "a number that is not finite"
                raise InputError(
                    f"{path}, line {number}: the word {word!r} has {what}, expected {DIMS} finite numbers; take the "
                    f"{DIMS}-dimensional table"
                )
            found[word] = values
            if len(found) == len(words):
                return found
    missing = sorted(words - found.keys())
    more = f" and {len(missing) - WORDS_SHOWN} more" if len(missing) > WORDS_SHOWN else ""
    raise InputError(
        f"{path}: no line of numbers for {len(missing)} of the {len(words)} words of the class names, expected one "
        f"each: {', '.join(missing[:WORDS_SHOWN])}{more}; add lines for them, or leave --vectors out"
    )


def _numbers(fields: list[bytes]) -> NDArray[np.float64] | None:
    """The fields as numbers, or None where one is not."""
    try:
        return np.array([float(field) for field in fields])
    except ValueError:
        return None
