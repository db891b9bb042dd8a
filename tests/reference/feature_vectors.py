"""Writes `vectors/feature_networks.json`: what pytorch-fid and lpips themselves compute.

    pip install --no-deps torchvision pytorch-fid==0.3.0 lpips==0.1.4 scipy tqdm
    python feature_vectors.py [--out DIR]

Nobody's weights are needed: every tensor is noise of its name (see noise.py), scaled so that
activations neither grow nor fade. The names and shapes of the convolutions are in the file.
"""

import argparse
import json
from pathlib import Path
from unittest import mock

import lpips
import numpy as np
import torch
from pytorch_fid import inception

from noise import noise

# Of float32 from float64; two right programs may differ by as much.
DEVIATION = 2e-5
FID_IMAGES = (2, 3, 40, 52)
LPIPS_IMAGES = (2, 3, 40, 64)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "vectors")
    out = parser.parse_args().out
    torch.use_deterministic_algorithms(True)
    with torch.no_grad():
        cases = [inception_case(), lpips_case("alex"), lpips_case("vgg")]
    lines = ",\n".join(json.dumps(case, separators=(",", ": ")) for case in cases)
    (out / "feature_networks.json").write_text(f"[\n{lines}\n]\n")


def inception_case():
    """Every 16th value of pool3 of two images, by pytorch-fid from the levels on."""
    convs = []
    network = inception_network(convs).eval()
    levels = np.floor((noise("inception/input", FID_IMAGES, 1.0) + 1) * np.float32(127.5))
    # As its loader has them.
    images = torch.from_numpy(levels) / 255
    [single] = network(images)
    [double] = network.double()(images.double())
    expect_close("inception", single, double)
    assert single.shape == (2, 2048, 1, 1)
    return {
        "name": "inception", "images": FID_IMAGES, "convs": convs, "stride": 16,
        "expected": single.flatten()[::16].tolist(),
    }


def inception_network(convs):
    """pytorch-fid's own wrapper around its own graph, with noise where it would download."""
    original = inception.fid_inception_v3

    def of_noise():
        with (
            mock.patch.object(inception, "load_state_dict_from_url", return_value={}),
            mock.patch.object(torch.nn.Module, "load_state_dict"),
        ):
            graph = original()
        for name, tensor in graph.state_dict().items():
            tensor.copy_(drawn(f"inception/{name}", tensor))
            if name.endswith(".conv.weight"):
                convs.append([name[: -len(".conv.weight")], list(tensor.shape)])
        return graph

    with mock.patch.object(inception, "fid_inception_v3", of_noise):
        return inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[2048]])


def lpips_case(backbone):
    """The distances of two pairs of images, by the lpips package."""
    name = f"lpips-{backbone}"
    network = lpips.LPIPS(net=backbone, pretrained=False, pnet_rand=True, verbose=False).eval()
    convs = []
    for key, tensor in network.state_dict().items():
        parts = key.split(".")
        if parts[0] == "net":
            # `net.slice2.3.weight` is torchvision's `features.3.weight`.
            key_of_file = f"features.{parts[2]}.{parts[3]}"
            tensor.copy_(drawn(f"{name}/{key_of_file}", tensor))
            if parts[3] == "weight":
                convs.append([f"features.{parts[2]}", list(tensor.shape)])
        elif parts[0].startswith("lin") and parts[0] != "lins":
            tensor.copy_(drawn(f"{name}/{key}", tensor).abs())
            convs.append([key[: -len(".weight")], list(tensor.shape)])
    left, right = (torch.from_numpy(noise(f"{name}/{it}", LPIPS_IMAGES, 1.0)) for it in "ab")
    single = network(left, right)
    double = network.double()(left.double(), right.double())
    expect_close(name, single, double)
    return {
        "name": name, "images": LPIPS_IMAGES, "convs": convs, "stride": 1,
        "expected": single.flatten().tolist(),
    }


def drawn(name, tensor):
    """Noise for a tensor, by what its name ends in."""
    shape = tuple(tensor.shape)
    if name.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    if len(shape) > 1:
        scale = float(np.float32(np.sqrt(6 / np.prod(shape[1:]))))
        return torch.from_numpy(noise(name, shape, scale))
    offset, scale = {
        "weight": (1.0, 0.2), "bias": (0.0, 0.1), "running_mean": (0.0, 0.1), "running_var": (1.0, 0.5),
    }[name.rsplit(".", 1)[1]]
    return torch.from_numpy(noise(name, shape, scale) + np.float32(offset))


def expect_close(name, single, double):
    apart = ((single - double).abs().max() / double.abs().max()).item()
    print(f"{name}: float32 is {apart:.1e} from float64, values up to {double.abs().max().item():.3g}")
    assert apart < DEVIATION, name


if __name__ == "__main__":
    main()
