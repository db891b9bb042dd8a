"""Images between files and tensors, as upstream scales them."""

import numpy as np
import torch
from PIL import Image


def read_image(path):
    """`[3, height, width]` in [-1, 1]."""
    levels = np.array(Image.open(path).convert("RGB"))
    return (torch.from_numpy(levels).permute(2, 0, 1).float() / 255 - 0.5) / 0.5


def levels_of(image):
    """The nearest of 256 levels, `[height, width, 3]`."""
    return ((image.permute(1, 2, 0) + 1) / 2 * 255).round().to(torch.uint8).numpy()
