"""A screenshot becomes a smaller PNG with the same picture, whatever filters its lines were written with."""

import random
import struct
import zlib

import pytest

from tests.browser.small_png import COLOURS, SIGNATURE, _chunk, _paeth, _read, shrink

WIDTH, HEIGHT = 40, 30
Pixels = list[tuple[int, ...]]


def picture(pixels: Pixels, channels: int) -> bytes:
    """The pixels as a PNG whose lines take the filters in turn."""
    lines, above = b"", bytes(WIDTH * channels)
    for row in range(HEIGHT):
        line = b"".join(bytes(each) + b"\xff" * (channels - 3) for each in pixels[row * WIDTH : (row + 1) * WIDTH])
        kind, written = row % 5, bytearray()
        for at, value in enumerate(line):
            left = line[at - channels] if at >= channels else 0
            corner = above[at - channels] if at >= channels else 0
            guesses = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))
            written.append((value - guesses[kind]) & 255)
        lines, above = lines + bytes([kind]) + bytes(written), line
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    content = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(*each) for each in content)


def palette_of(png: bytes) -> tuple[Pixels, bytes]:
    """The palette, and the places in it that the picture's pixels name."""
    at = png.index(b"PLTE")
    (length,) = struct.unpack_from(">I", png, at - 4)
    colours = png[at + 4 : at + 4 + length]
    packed = png.index(b"IDAT")
    (size,) = struct.unpack_from(">I", png, packed - 4)
    lines = zlib.decompress(png[packed + 4 : packed + 4 + size])
    rows = (lines[start + 1 : start + 1 + WIDTH] for start in range(0, len(lines), WIDTH + 1))
    return [tuple(colours[each : each + 3]) for each in range(0, length, 3)], b"".join(rows)


@pytest.mark.parametrize("channels", [3, 4])
def test_few_colours_stay_as_they_are(channels: int) -> None:
    drawn = random.Random(7)
    colours: Pixels = [tuple(drawn.randrange(256) for _ in range(3)) for _ in range(COLOURS)]
    pixels: Pixels = [drawn.choice(colours) for _ in range(WIDTH * HEIGHT)]
    png = picture(pixels, channels)
    assert _read(png) == (WIDTH, HEIGHT, pixels)
    palette, places = palette_of(shrink(png))
    assert [palette[place] for place in places] == pixels


def test_many_colours_become_the_nearest_of_the_frequent() -> None:
    pixels: Pixels = [(each % 256, each % 7, each // 256) for each in range(WIDTH * HEIGHT - 400)]
    pixels += [(9, 9, 9)] * 400
    palette, places = palette_of(shrink(picture(pixels, 3)))
    assert len(palette) == COLOURS
    assert palette[places[-1]] == (9, 9, 9)
    far = [
        abs(a - b)
        for place, pixel in zip(places, pixels, strict=True)
        for a, b in zip(palette[place], pixel, strict=True)
    ]
    assert sum(far) / len(far) < 8
