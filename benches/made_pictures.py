"""Folders of made-up pictures: smooth, as photographs are, with some grain."""

import numpy as np
from PIL import Image


def write_folder(folder, counts, width, height, ending_of):
    """`counts` by subfolder, as in `{"trainA": 8}`; `ending_of` says how a subfolder's files end."""
    source = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            path = folder / name / f"{index:04}{ending_of(name)}"
            picture(source, width, height).save(path, quality=90)


def picture(source, width, height):
    coarse = source.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    grain = source.normal(0, 6, (height, width, 3))
    levels = np.clip(np.asarray(smooth) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(levels)
