"""Vectorized parser of the lines of a long text and the numbers that they begin with.

A text is processed in blocks of lines, so that the arrays of a block stay in the cache
and reuse the memory of the block before.
"""

from collections.abc import Iterator

import numpy as np

from .decimals import AFTER, read_decimals

BLOCK = 2**18  # bytes
NUMBERS = 3
MOST = 254  # counted blanks per line
# Blanks are read as words of 64, which may begin at the last character.
_AFTER = bytes(max(AFTER, 2 * 64))


class TextLines:
    """The lines of a text whose fields are separated by single blanks.

    Args:
        content: any amount of white space may end it.
        fields: of the lines that begin with three numbers, more than three.

    Attributes:
        content: it ends with one line feed.
        starts, ends: int64 [L], of each line in it.
        blanks: uint8 [L], number of blanks per line; 254 for more.
        numbers: float64 [N, 3], of the lines with `fields` fields; NaN for anything else.
    """

    def __init__(self, content: bytes, fields: int) -> None:
        if not content.endswith(b"\n") or content[-2:].isspace():
            content = content.rstrip() + b"\n"
        self.content = content
        blocks = [_Block(content, *place, fields) for place in _blocks(content)]
        self.starts = np.concatenate([block.begin + block.starts for block in blocks])
        self.ends = np.concatenate([block.begin + block.ends for block in blocks])
        self.blanks = np.concatenate([block.blanks for block in blocks])
        self.numbers = np.concatenate([block.numbers for block in blocks])

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, line: int) -> bytes:
        return self.content[self.starts[line] : self.ends[line]]


def _blocks(content: bytes) -> Iterator[tuple[int, int]]:
    """Where blocks of complete lines begin and end."""
    begin = 0
    while begin < len(content):
        end = content.rfind(b"\n", begin, begin + BLOCK) + 1
        end = end or content.index(b"\n", begin) + 1
        yield begin, end
        begin = end


class _Block:
    """The attributes of TextLines for `content[begin:end]`, counted from `begin`."""

    def __init__(self, content: bytes, begin: int, end: int, fields: int) -> None:
        self.begin = begin
        text = b"".join((memoryview(content)[begin:end], _AFTER))
        letters = np.frombuffer(text, np.uint8)
        self.ends = np.flatnonzero(letters == ord("\n"))
        self.starts = np.empty_like(self.ends)
        self.starts[0], self.starts[1:] = 0, self.ends[:-1] + 1
        is_blank = letters == ord(" ")
        longest = (self.ends - self.starts).max()
        blanks = np.add.reduceat(
            is_blank.view(np.uint8),
            self.starts,
            dtype=np.uint8 if longest <= MOST else np.int64,
        )
        self.blanks = np.minimum(blanks, MOST).astype(np.uint8, copy=False)
        begins = self.starts[self.blanks == fields - 1]
        starts, ends = _first_fields(is_blank, begins)
        numbers = read_decimals(text, starts.ravel(), ends.ravel())
        self.numbers = numbers.reshape(NUMBERS, -1).T


def _first_fields(is_blank, begins) -> tuple[np.ndarray, np.ndarray]:
    """Locate the first three fields of lines that have more.

    Args:
        is_blank: bool [letters].
        begins: int64 [N], of the lines.

    Returns:
        Starts and ends, int64 [3, N] each.
    """
    bits = np.packbits(is_blank, bitorder="little")
    # A word at every byte, of which up to 7 bits lie before the line.
    words = np.ndarray(len(bits) - 7, "<u8", bits, strides=(1,))
    rest = words[begins >> 3] >> (begins & 7).view(np.uint64)
    lowest = np.empty((NUMBERS, len(begins)), np.uint64)
    for field in lowest:
        np.bitwise_and(rest, -rest, out=field)
        rest ^= field
    if lowest[-1].all():
        # The exponent of a power of two is the place of its bit.
        ends = lowest.astype(np.float64).view(np.int64)
        ends >>= 52
        ends += begins - 1023
    else:  # numbers with many digits extend beyond the word
        blanks = np.flatnonzero(is_blank)
        ends = blanks[np.searchsorted(blanks, begins) + np.arange(NUMBERS)[:, None]]
    return np.concatenate((begins[None], ends[:-1] + 1)), ends
