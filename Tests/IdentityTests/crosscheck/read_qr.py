"""Reads QR codes with PyPI's zxing-cpp: a JSON array of SVGs in a file, on stdout for each what was found, as pairs of text and level."""

import json
import re
import sys

import zxingcpp

SCALE = 4


def picture(svg):
    """Draws the rectangles that the SVG's path is made of."""
    side = int(re.search(r'viewBox="0 0 (\d+) \d+"', svg).group(1)) * SCALE
    pixels = bytearray(b"\xff" * side**2)
    for x, y, width in re.findall(r"M(\d+),(\d+)h(\d+)v1h-\d+z", svg):
        for row in range(int(y) * SCALE, (int(y) + 1) * SCALE):
            start = row * side + int(x) * SCALE
            pixels[start : start + int(width) * SCALE] = b"\x00" * (int(width) * SCALE)
    return memoryview(pixels).cast("B", shape=[side, side])


with open(sys.argv[1], encoding="utf-8") as file:
    codes = [zxingcpp.read_barcodes(picture(svg)) for svg in json.load(file)]
print(json.dumps([[[code.text, code.ec_level] for code in found] for found in codes]))
