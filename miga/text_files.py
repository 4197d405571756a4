"""Text files as people save them: bytes become text in one place, whichever encoding a spreadsheet or an editor wrote.

A byte order mark says the encoding. Without one, UTF-8 and UTF-16 prove themselves: bytes of another encoding are next
to never valid in them. One byte a letter proves nothing, there are dozens of such tables; only that of Western European
Windows (cp1252, a spreadsheet's "ANSI") is taken, and only where everything beyond ASCII is a letter of a Western word.
"""

import codecs
import re
from pathlib import Path

from miga.errors import InputError

# The longer mark first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A zip archive (.xlsx, .ods) and an old .xls.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# Other tables read as cp1252 give signs among the letters (Mac OS, DOS) or words of accents alone (Cyrillic, Greek).
_NOT_WESTERN = re.compile(r"[^\x00-\x7fÀ-ÖØ-öø-ÿŒœŠšŽž]|[À-ÖØ-öø-ÿ]{3}")
WESTERN = "cp1252"


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark; line ends as they are.

    Raises:
        InputError: it cannot be read, or is not text in an encoding that can be told.
    """
    return read_encoded_text(path)[0]


def read_encoded_text(path: Path) -> tuple[str, str]:
    """The text of a file and the encoding it was found to be in; errors as `read_text`."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if data.startswith(_WORKBOOKS):
        raise InputError(
            f"{path}: is an archive or a spreadsheet's own format, not text; save the sheet as 'CSV UTF-8'"
        )
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(path, data[len(mark) :], encoding), encoding
    if b"\0" in data:
        # Commas and digits have a zero byte in UTF-16 in any script: the second of two if little-endian.
        encoding = "utf-16-le" if data[1::2].count(0) >= data[::2].count(0) else "utf-16-be"
        return _decoded(path, data, encoding), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        text = data.decode(WESTERN, errors="replace")  # U+FFFD, where cp1252 has no letter, is not Western either
        if _NOT_WESTERN.search(text):
            line = data.count(b"\n", 0, error.start) + 1
            raise InputError(
                f"{path} line {line}: byte 0x{data[error.start]:02x} is not UTF-8, and what else it may mean cannot be "
                "told; save the file as UTF-8 (a spreadsheet calls it 'CSV UTF-8')"
            ) from error
        return text, WESTERN


def _decoded(path: Path, data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: broken {encoding.upper()} text at byte {error.start}; save it as UTF-8") from error
    if "\0" in text:
        raise InputError(f"{path}: holds zero bytes, so it is not a text file; save it as text in UTF-8")
    return text
