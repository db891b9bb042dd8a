"""JPEGs of every kind of subsampling, and the hash of the pixels that Pillow decodes from them."""

import hashlib
import io

import numpy as np
from PIL import Image

from noise import noise

# Name, width, height, chroma subsampling (0: 4:4:4, 1: 4:2:2, 2: 4:2:0), progressive, mode.
CASES = [
    ("jpeg-444", 40, 24, 0, False, "RGB"),
    ("jpeg-422", 37, 21, 1, False, "RGB"),
    ("jpeg-420", 37, 29, 2, False, "RGB"),
    ("jpeg-420-progressive", 50, 34, 2, True, "RGB"),
    ("jpeg-grey", 33, 18, 0, False, "L"),
]


def jpeg_vectors(out):
    """Writes `NAME.jpg` into `out` and returns the cases for JSON."""
    return [jpeg(out, *asked) for asked in CASES]


def jpeg(out, name, width, height, subsampling, progressive, mode):
    coarse = noise(name, (height // 5 + 2, width // 5 + 2, 3), 1.0)
    coarse = Image.fromarray(((coarse + 1) * np.float32(127.5)).astype(np.uint8))
    image = coarse.resize((width, height), Image.Resampling.BICUBIC).convert(mode)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85, subsampling=subsampling, progressive=progressive)
    (out / f"{name}.jpg").write_bytes(file.getvalue())
    pixels = np.asarray(Image.open(file).convert("RGB")).tobytes()
    return {"name": name, "width": width, "height": height, "sha256": hashlib.sha256(pixels).hexdigest()}
