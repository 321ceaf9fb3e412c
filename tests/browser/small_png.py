"""Makes a screenshot small enough for a repository: a PNG of at most 256 colours, by the standard library alone."""

import struct
import zlib
from collections import Counter

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
# Colour types of a PNG (its specification, section 11.2.2) that Chromium writes, and their bytes a pixel.
CHANNELS = {2: 3, 6: 4}
Colour = tuple[int, ...]


def shrink(png: bytes) -> bytes:
    """Return the picture with COLOURS of its colours; the others become the nearest of these."""
    width, height, pixels = _read(png)
    kept, places = _palette(Counter(pixels))
    rows = (pixels[start : start + width] for start in range(0, len(pixels), width))
    lines = b"".join(b"\0" + bytes(map(places.__getitem__, row)) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = b"".join(bytes(colour) for colour in kept)
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _palette(counted: Counter[Colour]) -> tuple[list[Colour], dict[Colour, int]]:
    """Return the colours that are kept, and the place among them of each colour.

    The frequent ones first, then by turns the one that misses most by its nearest: a small mark keeps its own hue.
    """
    kept = [colour for colour, _ in counted.most_common(COLOURS // 2)]
    places = {colour: min(range(len(kept)), key=lambda place: _apart(kept[place], colour)) for colour in counted}
    while len(kept) < min(COLOURS, len(counted)):
        worst = max(counted, key=lambda colour: counted[colour] * _apart(kept[places[colour]], colour))
        kept.append(worst)
        for colour in counted:
            if _apart(worst, colour) < _apart(kept[places[colour]], colour):
                places[colour] = len(kept) - 1
    return kept, places


def _apart(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _read(png: bytes) -> tuple[int, int, list[Colour]]:
    """Return width, height and the pixels as (red, green, blue); the picture has 8 bits a channel, not interlaced."""
    assert png.startswith(SIGNATURE)
    place, packed, width, height, channels = len(SIGNATURE), b"", 0, 0, 0
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        name, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if name == b"IHDR":
            width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            assert (depth, interlaced) == (8, 0)
            channels = CHANNELS[kind]
        elif name == b"IDAT":
            packed += content
        place += length + 12
    raw, size = zlib.decompress(packed), width * channels
    above, pixels = bytes(size), []
    for start in range(0, len(raw), size + 1):
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + size], above, channels)
        pixels += list(zip(*(above[channel::channels] for channel in range(3)), strict=True))
    return width, height, pixels


def _unfiltered(kind: int, line: bytes, above: bytes, channels: int) -> bytes:
    """Undo a line's filter (the PNG specification, section 9)."""
    if kind == 0:
        return line
    if kind == 2:
        return bytes((a + b) & 255 for a, b in zip(line, above, strict=True))
    made = bytearray(line)
    for at, value in enumerate(line):
        left = made[at - channels] if at >= channels else 0
        corner = above[at - channels] if at >= channels else 0
        guess = {1: left, 3: (left + above[at]) // 2, 4: _paeth(left, above[at], corner)}[kind]
        made[at] = (value + guess) & 255
    return bytes(made)


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))
