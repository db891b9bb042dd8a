"""Numbers that Python and Rust both make from a name, so that weights and images need no file.

    seed    = FNV-1a, 64 bits, of the name as UTF-8
    bits(i) = splitmix64(seed + i * 0x9E3779B97F4A7C15), modulo 2^64
    value   = (the upper 24 bits as float32 / 2^23 - 1) * scale, in [-scale, scale)

Elements are numbered in row-major order. All steps are exact but the last product, which is
rounded to float32 once; so both languages agree bit for bit.
"""

import numpy as np

GAMMA = np.uint64(0x9E3779B97F4A7C15)


def noise(name, shape, scale):
    """A float32 array."""
    indices = np.arange(int(np.prod(shape)), dtype=np.uint64)
    with np.errstate(over="ignore"):
        bits = splitmix64(np.uint64(fnv1a(name)) + indices * GAMMA)
    unit = (bits >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)
    return (unit * np.float32(scale)).reshape(shape)


def fnv1a(name):
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    return seed


def splitmix64(z):
    z = z + GAMMA
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return z ^ z >> np.uint64(31)


if __name__ == "__main__":
    # The golden values of the README.
    for name in ["", "a", "lsgan/gen_ab/model.1.weight"]:
        print(repr(name), f"{fnv1a(name):#018x}", [repr(float(v)) for v in noise(name, (3,), 0.2)])
