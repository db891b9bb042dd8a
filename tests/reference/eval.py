"""The scores of `eval` computed by other programs, on data that both can make.

    pip install numpy scipy scikit-image prdc pytorch-fid torch-fidelity torch && python tests/reference/eval.py

The Rust tests hold the values marked "golden"; they need no Python. Whatever of the libraries is absent is skipped
and said so. A disagreement beyond its tolerance ends with an error.

Found with numpy 2.4.6, scipy 1.17.1, scikit-image 0.26.0, prdc 0.2, pytorch-fid 0.3.0, torch-fidelity 0.4.0 and torch
2.15.0, as relative differences:

    Fréchet distance    scipy's sqrtm, pytorch-fid, torch-fidelity    5e-16; 2e-9 with fewer images than dimensions
    KID                 torch-fidelity, one subset of all images      2e-15
    precision, recall, density, coverage    prdc                      none
    SSIM, PSNR          scikit-image                                  the Rust tests hold its values, to 1e-9 absolute
    all "golden"        this file and the Rust crate                  below the tests' 1e-9; KID and correlation 1e-12

Libraries that compute the sliced distances and the high-frequency ratio in this form there are none; those are the
formulas in numpy and scipy, from the same seeded places and directions.
"""

import importlib.metadata

import numpy as np


# The same data as crates/eval/src/lcg.rs.


def lcg(n, seed):
    state, values = seed, []
    for _ in range(n):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state / 2**32)
    return np.array(values)


def planes(pixels):
    """Bytes [y, x, channel] to [channel, y, x] in [0, 1], by way of float32 as a Picture keeps it."""
    return (pixels.astype(np.float32) / np.float32(255)).astype(np.float64).transpose(2, 0, 1)


def picture(size, seed):
    return planes(np.floor(lcg(3 * size * size, seed) * 256).reshape(size, size, 3))


def rings(size, seed):
    y, x = np.indices((size, size))
    ring = (2 * (y - 5 - seed) ** 2 + (x - 9) ** 2) // 8 % 400
    ring = np.minimum(ring, 400 - ring)[:, :, None]
    return planes(ring + np.floor(28 * lcg(3 * size * size, seed)).reshape(size, size, 3))


def many(make, n, size, first):
    return np.stack([make(size, first + i) for i in range(n)])


# The same draws as crates/eval/src/noise.rs.


def bits(seed, index):
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (np.asarray(index, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def unit(seed, index):
    return (bits(seed, index) >> np.uint64(11)).astype(np.float64) / 2.0**53


def below(seed, index, n):
    return np.floor(unit(seed, index) * n).astype(int)


def gaussian(seed, index):
    index = np.asarray(index)
    return np.sqrt(-2 * np.log(1 - unit(seed, 2 * index))) * np.cos(2 * np.pi * unit(seed, 2 * index + 1))


# The metrics, written from their formulas.


def kid(x, y):
    d, n, m = x.shape[1], len(x), len(y)
    k = lambda a, b: (a @ b.T / d + 1) ** 3
    xx, yy = k(x, x), k(y, y)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return within - 2 * k(x, y).mean()


def jackknife(x, y):
    def variance(values):
        n = len(values)
        return (n - 1) / n * ((values - values.mean()) ** 2).sum()

    of_x = np.array([kid(np.delete(x, i, 0), y) for i in range(len(x))])
    of_y = np.array([kid(x, np.delete(y, i, 0)) for i in range(len(y))])
    return np.sqrt(variance(of_x) + variance(of_y))


def frechet(x, y):
    mx, my = x.mean(0), y.mean(0)
    xc, yc = (x - mx) / np.sqrt(len(x) - 1), (y - my) / np.sqrt(len(y) - 1)
    shared = np.linalg.svd(xc @ yc.T, compute_uv=False).sum()
    return ((mx - my) ** 2).sum() + (xc**2).sum() + (yc**2).sum() - 2 * shared


def frechet_sqrtm(x, y):
    import scipy.linalg

    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(s1 @ s2).real
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s1 + s2 - 2 * root)


def distances(x):
    return np.sqrt(((x[:, None] - x[None]) ** 2).sum(-1))


def pairs(x):
    return distances(x)[np.triu_indices(len(x), 1)]


def vendi(x, scale):
    w = np.linalg.eigvalsh(np.exp(-distances(x) ** 2 / (2 * scale**2)) / len(x))
    w = w[w > 0]
    return np.exp(-(w * np.log(w)).sum())


def thinned(x, n):
    return x[[i * len(x) // n for i in range(n)]]


WINDOW = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def halved(x):
    import scipy.ndimage

    return scipy.ndimage.convolve(x, WINDOW[None, None], mode="mirror")[:, :, ::2, ::2]


def doubled(x, size):
    import scipy.ndimage

    spread = np.zeros((*x.shape[:2], size, size))
    spread[:, :, ::2, ::2] = x
    return scipy.ndimage.convolve(spread, 4 * WINDOW[None, None], mode="mirror")


def pyramid(x, levels):
    out = [x]
    for _ in range(1, levels):
        out.append(halved(out[-1]))
        out[-2] = out[-2] - doubled(out[-1], out[-2].shape[2])
    return out


def detail(x):
    return np.abs(pyramid(x, 2)[0]).mean()


def projected(x, y, n_directions, seed):
    d = x.shape[1]
    directions = gaussian(seed, np.arange(n_directions * d)).reshape(n_directions, d)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return 1000 * np.abs(np.sort(x @ directions.T, 0) - np.sort(y @ directions.T, 0)).mean()


def patches(level, places):
    inner = level.shape[2] - 6
    out = []
    for i, image in enumerate(level):
        stream = bits(places, i)
        for p in range(32):
            y, x = below(stream, 2 * p, inner), below(stream, 2 * p + 1, inner)
            out.append(image[:, y : y + 7, x : x + 7])
    return np.stack(out)


def sliced(reference, outputs, levels, seed):
    n = min(len(reference), len(outputs))
    places, directions = bits(seed, 0), bits(seed, 1)
    found = []
    both = zip(pyramid(thinned(reference, n), levels), pyramid(thinned(outputs, n), levels))
    for level, (real, fake) in enumerate(both):
        real, fake = (patches(x, bits(places, level)) for x in (real, fake))
        mean, deviation = (f(real, axis=(0, 2, 3), keepdims=True) for f in (np.mean, np.std))
        real, fake = (((x - mean) / deviation).reshape(len(x), -1) for x in (real, fake))
        found.append(projected(real, fake, 512, bits(directions, level)))
    return found


def colour(reference, outputs, seed):
    n = min(len(reference), len(outputs))

    def points(images):
        flat = thinned(images, n).reshape(n, 3, -1)
        at = lambda i: below(bits(bits(seed, 0), i), np.arange(128), flat.shape[2])
        return np.concatenate([flat[i][:, at(i)].T for i in range(n)])

    return projected(points(reference), points(outputs), 128, bits(seed, 1))


# What is compared.


def report(name, value):
    print(f"{name:44} {value!r}")


def agree(name, ours, theirs, relative):
    difference = abs(ours - theirs) / abs(ours)
    print(f"  {name:42} {theirs!r}  relative difference {difference:.1e}")
    assert difference <= relative, name


def library(name, compare):
    try:
        compare()
    except ModuleNotFoundError as missing:
        print(f"  {name}: skipped, {missing}")


def versions():
    for name in ("numpy", "scipy", "scikit-image", "prdc", "pytorch-fid", "torch-fidelity", "torch"):
        try:
            print(f"{name} {importlib.metadata.version(name)}", end="  ")
        except importlib.metadata.PackageNotFoundError:
            print(f"{name} absent", end="  ")
    print()


def of_features():
    x, y = lcg(20 * 6, 1).reshape(20, 6), lcg(25 * 6, 2).reshape(25, 6) * 1.2 + 0.1
    few_x, few_y = x[:5], y[:4]
    full, deficient, distance = float(frechet(x, y)), float(frechet(few_x, few_y)), float(kid(x, y))
    report("golden: Fréchet distance", full)
    report("golden: Fréchet distance, fewer than d", deficient)
    wide = lcg(40 * 60, 1).reshape(40, 60)
    report("golden: Fréchet distance, three modes", float(frechet(wide, wide[np.arange(40) % 3])))
    report("golden: KID", distance)
    report("golden: KID, jackknife standard error", float(jackknife(x, y)))
    scale = np.median(pairs(thinned(x, 20))) / 2
    report("golden: Vendi ratio", float(vendi(thinned(y, 20), scale) / vendi(x, scale)))
    report("golden: distance correlation", float(np.corrcoef(pairs(x), pairs(thinned(y, 20)))[0, 1]))

    def by_scipy():
        agree("scipy sqrtm", full, float(frechet_sqrtm(x, y)), 1e-11)
        agree("scipy sqrtm, fewer than d", deficient, float(frechet_sqrtm(few_x, few_y)), 1e-5)

    def by_pytorch_fid():
        from pytorch_fid.fid_score import calculate_frechet_distance as distance_of

        moments = lambda z: (z.mean(0), np.cov(z, rowvar=False))
        agree("pytorch-fid", full, float(distance_of(*moments(x), *moments(y))), 1e-9)
        found = float(distance_of(*moments(few_x), *moments(few_y)))
        agree("pytorch-fid, fewer than d", deficient, found, 1e-5)

    def by_torch_fidelity():
        import torch
        from torch_fidelity.metric_fid import fid_statistics_to_metric
        from torch_fidelity.metric_fid import fid_statistics_to_metric
        from torch_fidelity.metric_kid import kid_features_to_metric

        # It wants sets of one size; one subset of all is then the estimate over all samples.
        n = len(x)
        options = dict(kid_subsets=1, kid_subset_size=n, kid_kernel="poly", verbose=False)
        found = kid_features_to_metric(torch.tensor(x), torch.tensor(y[:n]), **options)
        mean = found["kernel_inception_distance_mean"]
        agree("torch-fidelity, KID of the first 20", float(kid(x, y[:n])), mean, 1e-12)
        statistics = lambda z: {"mu": z.mean(0), "sigma": np.cov(z, rowvar=False)}
        for name, a, b, ours, limit in (
            ("torch-fidelity", x, y, full, 1e-9),
            ("torch-fidelity, fewer than d", few_x, few_y, deficient, 1e-5),
        ):
            found = fid_statistics_to_metric(statistics(a), statistics(b), False)
            agree(name, ours, float(next(iter(found.values()))), limit)

    def by_prdc():
        from prdc import compute_prdc

        print("  prdc, k = 3:", compute_prdc(x, y, nearest_k=3))

    library("scipy", by_scipy)
    library("pytorch-fid", by_pytorch_fid)
    library("torch-fidelity", by_torch_fidelity)
    library("prdc", by_prdc)


def of_pictures():
    noise, smooth = many(picture, 4, 32, 1), many(rings, 5, 32, 11)
    report("golden: high-frequency ratio", float(detail(noise) / detail(smooth)))
    report("golden: sliced distance by level", [float(v) for v in sliced(smooth, noise, 2, 2020)])
    report("golden: colour distance", float(colour(smooth, noise, 2020)))

    def by_scikit_image():
        from skimage.metrics import peak_signal_noise_ratio, structural_similarity

        x, y = rings(32, 11), rings(32, 12)
        options = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1)
        scores = [structural_similarity(a, b, full=True, **options)[1] for a, b in zip(x, y)]
        report("golden: SSIM of scikit-image", float(np.mean([s[5:-5, 5:-5].mean() for s in scores])))
        report("golden: PSNR of scikit-image", float(peak_signal_noise_ratio(x, y, data_range=1)))

    library("scikit-image", by_scikit_image)


if __name__ == "__main__":
    versions()
    of_features()
    of_pictures()
