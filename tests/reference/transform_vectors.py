"""Training images as upstream makes them: Pillow's bicubic resize to a square, crop, mirror."""

import numpy as np
import PIL
from PIL import Image

from noise import noise

# Width, height, load size, crop size, left, top, mirrored.
CASES = [
    ("shrink-and-stretch", 45, 31, 36, 20, 9, 4, False),
    ("shrink-and-mirror", 45, 31, 36, 20, 16, 0, True),
    ("enlarge", 14, 11, 22, 16, 3, 6, True),
    ("shrink-tall", 20, 53, 24, 16, 0, 8, False),
    ("whole", 19, 27, 16, 16, 0, 0, True),
    ("as-it-is", 16, 16, 16, 12, 4, 1, False),
]


def transform_vectors():
    """Images are noise, rows of interleaved pixels, in `image`; what becomes of them in `expected`."""
    version = int(PIL.__version__.split(".")[0])
    assert version < 13, "Pillow 13 resizes some oblong images in another order; take one up to 12"
    return [transform(*asked) for asked in CASES]


def transform(name, width, height, load, crop, left, top, flip):
    levels = np.floor((noise(f"transforms/{name}", (height, width, 3), 1.0) + 1) * np.float32(127.5))
    levels = levels.astype(np.uint8)
    image = Image.fromarray(levels).resize((load, load), Image.Resampling.BICUBIC)
    image = image.crop((left, top, left + crop, top + crop))
    if flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return {
        "name": name, "width": width, "height": height, "load_size": load, "crop_size": crop,
        "left": left, "top": top, "flip": flip,
        "image": levels.ravel().tolist(), "expected": np.asarray(image).ravel().tolist(),
    }
