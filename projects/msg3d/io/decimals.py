"""Vectorized parser of decimal numbers such as `-0.2925287`.

NumPy and Python hand each number to C's `strtod`. Here the digits after the points of
all numbers are loaded as one 64-bit word each, and turned into integers together
(Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience
51, 2021, with NumPy's vectors in place of instructions).

The result is the nearest double, as `float` gives it: nine digits are an integer that a
double holds exactly, so is the power of ten (up to 10^22) by which it is divided, and the
division is rounded once (Clinger, "How to read floating point numbers accurately", PLDI 1990).
"""

import re

import numpy as np

# Characters after a number that `read_decimals` may look at.
AFTER = 10
DECIMAL = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")

_U64 = np.uint64
_EACH_BYTE = 0x0101010101010101
_ZEROS = _U64(ord("0") * _EACH_BYTE)
_HIGH_BITS, _ABOVE_NINE = _U64(0x80 * _EACH_BYTE), _U64((0x80 - 10) * _EACH_BYTE)
# By number of digits: a mask of the first bytes of a word, which are its lowest.
_FIRST = np.array([2 ** (8 * digits) - 1 for digits in range(9)], _U64)

_POWERS = np.array([float(f"1e{power}") for power in range(17)])


def read_decimals(text: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Parse the numbers at `text[starts[i]:ends[i]]`.

    The fast path takes numbers with one digit before the point and one to eight after
    it, or with at most eight digits after zeros (0.001234567). All others are passed to
    `float` separately.

    Args:
        text: with 10 characters after the last number.
        starts, ends: int64 [N].

    Returns:
        float64 [N], bit for bit what `float` returns; NaN for a text that is not a
        decimal number, including nan, inf, and 1_000.
    """
    letters = np.frombuffer(text, np.uint8)
    negative = letters[starts] == ord("-")
    place = starts + negative
    first = letters[place] - np.uint8(ord("0"))  # above 9 for all but digits
    place += 1
    pointed = (letters[place] == ord(".")) & (first <= 9)
    place += 1
    length = ends - place
    simple = pointed & (length >= 1) & (length <= 8)
    count = length * simple

    # A word at every byte of the text; only the indexed ones are read.
    words = np.ndarray(len(text) - 7, "<u8", text, strides=(1,))
    digits = (words[place] ^ _ZEROS) & _FIRST[count]
    simple &= _all_digits(digits)
    # Missing digits are zeros: always eight digits after the point.
    values = (first * _U64(10**8) + _joined(digits)).astype(np.float64)
    values /= 1e8

    long = np.flatnonzero(pointed & (length > 8) & (length <= 16) & (first == 0))
    last = words[ends[long] - 8] ^ _ZEROS
    zeros = (words[place[long]] ^ _ZEROS) & _FIRST[length[long] - 8]
    simple[long] = small = (zeros == 0) & _all_digits(last)
    last, long = last[small], long[small]
    values[long] = _joined(last) / _POWERS[length[long]]
    np.negative(values, out=values, where=negative)

    for number in np.flatnonzero(~simple):
        token = text[starts[number] : ends[number]]
        values[number] = float(token) if DECIMAL.fullmatch(token) else np.nan
    return values


def _all_digits(digits: np.ndarray) -> np.ndarray:
    """Whether no byte of a word is above nine."""
    return ((digits + _ABOVE_NINE | digits) & _HIGH_BITS) == 0


def _joined(digits: np.ndarray) -> np.ndarray:
    """The numbers of words of eight digits, the first in the lowest byte.

    Neighbors are joined: to four numbers of two digits, two of four, and one.
    """
    pairs = digits * _U64(10 * 2**8 + 1) >> _U64(8) & _U64(0x00FF00FF00FF00FF)
    fours = pairs * _U64(100 * 2**16 + 1) >> _U64(16) & _U64(0x0000FFFF0000FFFF)
    return fours * _U64(10000 * 2**32 + 1) >> _U64(32)
