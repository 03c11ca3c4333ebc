"""Whether SQLite's write-ahead log is whole: of a damaged one SQLite reads what comes before, and says nothing.

The format, with its checksum over all frames before: https://sqlite.org/walformat.html
"""

import struct
from pathlib import Path

HEADER, FRAME = 32, 24  # bytes


def damaged(path: Path) -> bool:
    """True where something in the log was written and cannot be read any more; a file that is not there is whole."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    if len(content) < HEADER:
        return len(content) > 0
    order = ">" if content[3] & 1 else "<"
    page, salts = struct.unpack(">I", content[8:12])[0], content[16:24]
    sums = _checksum(content[:24], order, (0, 0))
    if struct.pack(">II", *sums) != content[24:32] or not 512 <= page <= 65536:
        return True
    for at in range(HEADER, len(content) - FRAME - page + 1, FRAME + page):
        head = content[at : at + FRAME]
        if head[8:12] != salts[:4] and head[12:16] != salts[4:]:
            return False  # left over from before the log began anew
        sums = _checksum(content[at + FRAME : at + FRAME + page], order, _checksum(head[:8], order, sums))
        if head[8:16] != salts or struct.pack(">II", *sums) != head[16:24]:
            return True
    return False


def _checksum(content: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    one, two = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
