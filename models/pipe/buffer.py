"""What is in a pipe: bytes in pages, one page in each slot.

Follows anon_pipe_write() and anon_pipe_read() in fs/pipe.c of Linux 6.18. Knows nothing of
processes, ends or waiting. Bytes are kept as ranges of what was written, not as bytes.
"""

from string import ascii_letters, digits
from typing import NamedTuple

PAGE = 4096
"""Bytes of a page, where this model is right; PIPE_BUF is the same number (pipe(7))."""

_COUNTERS = digits + "!#$%&()*+,-./:;<=>?@["
_PERIOD = 2 * len(_COUNTERS)
_PATTERNS = tuple(
    "".join(letter + counter for counter in _COUNTERS).encode() for letter in ascii_letters
)


class Piece(NamedTuple):
    """The bytes from ``start`` to before ``stop`` of the write with this tag."""

    tag: int
    start: int
    stop: int


class Page(NamedTuple):
    """A slot in use: its bytes, where they end within the page, and whether it is a packet."""

    pieces: tuple[Piece, ...]
    end: int
    packet: bool = False


Pages = tuple[Page, ...]


class Taken(NamedTuple):
    """What a read found."""

    data: bytes
    left: Pages
    freed: int
    """Slots that the read has emptied."""
    split: bool
    """Whether the last of them held more than the read had room for."""
    packet: bool
    """Whether that one was a packet."""


def content(tag: int, start: int, stop: int) -> bytes:
    """The bytes from ``start`` to before ``stop`` of the write with this tag: ``a0a1a2…`` for
    tag 0, ``b0b1b2…`` for tag 1. No two of the first 31 pages of a write are alike."""
    first = start % _PERIOD
    length = stop - start
    pattern = _PATTERNS[tag % len(_PATTERNS)]
    return (pattern * ((first + length) // _PERIOD + 1))[first : first + length]


def unread(pages: Pages) -> int:
    """The number of bytes that wait to be read."""
    return sum(piece.stop - piece.start for page in pages for piece in page.pieces)


def put(pages: Pages, slots: int, piece: Piece, packets: bool, merge: bool) -> tuple[Pages, int]:
    """Put in as much of ``piece`` as goes: the new pages, and where in the write it stopped.

    With ``merge`` (a write does so at its beginning only) the bytes beyond a multiple of the page
    size go first, behind the last page's, if they fit there as a whole and it is no packet;
    the rest takes free slots, a page each.
    """
    tag, at, stop = piece
    odd = (stop - at) % PAGE
    if merge and odd and pages:
        pieces, end, packet = pages[-1]
        if not packet and end + odd <= PAGE:
            merged = Page((*pieces, Piece(tag, at, at + odd)), end + odd)
            pages = (*pages[:-1], merged)
            at += odd
    while at < stop and len(pages) < slots:
        to = min(at + PAGE, stop)
        pages = (*pages, Page((Piece(tag, at, to),), to - at, packets))
        at = to
    return pages, at


def take(pages: Pages, size: int) -> Taken:
    """Read up to ``size`` bytes, at least one, from pages that are not empty. A packet ends the
    read; what of it the read has no room for is lost."""
    data = b""
    for number, page in enumerate(pages):
        found = b"".join([content(*piece) for piece in page.pieces])
        room = size - len(data)
        data += found[:room]
        if page.packet:
            return Taken(data, pages[number + 1 :], number + 1, len(found) > room, True)
        if len(found) > room:
            rest = Page(_without(page.pieces, room), page.end)
            return Taken(data, (rest, *pages[number + 1 :]), number, True, False)
        if len(found) == room:
            return Taken(data, pages[number + 1 :], number + 1, False, False)
    return Taken(data, (), len(pages), False, False)


def _without(pieces: tuple[Piece, ...], gone: int) -> tuple[Piece, ...]:
    """The pieces but for their first ``gone`` bytes."""
    number = 0
    while gone >= pieces[number].stop - pieces[number].start:
        gone -= pieces[number].stop - pieces[number].start
        number += 1
    tag, start, stop = pieces[number]
    return (Piece(tag, start + gone, stop), *pieces[number + 1 :])
