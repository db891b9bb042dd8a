"""The value that `eval::ssim` is tested against.

    pip install numpy scikit-image && python tests/reference/ssim.py
"""

import numpy as np
from skimage.metrics import structural_similarity

SIZE = 24


def texture(phase):
    i = np.arange(3 * SIZE * SIZE)
    value = ((i * 37 + phase * 11) % 101).astype(np.float32) / np.float32(50) - np.float32(1)
    return ((value + np.float32(1)) / np.float32(2)).reshape(3, SIZE, SIZE).astype(np.float64)


x, y = texture(0), texture(3)
scores = [
    structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, full=True
    )[1][5:-5, 5:-5].mean()
    for a, b in zip(x, y)
]
print(np.mean(scores))
