"""Outputs and parameter counts of single networks."""

import numpy as np
import torch

from noise import noise
from run_config import run_config
from torch_networks import count, discriminator, fill_with_noise, generator

MAKE = {"generator": generator, "discriminator": discriminator}
# At most this many values of an output are kept.
KEPT = 600

RESNET = {"ngf": 4}
PATCH = {"ndf": 4}
CASES = [
    # Depths and sizes of the residual generator.
    ("resnet-0-blocks", {**RESNET, "n_blocks": 0}, (1, 16, 16)),
    ("resnet-3-blocks", {**RESNET, "n_blocks": 3}, (2, 16, 16)),
    ("resnet-6-blocks", {**RESNET, "n_blocks": 6}, (1, 32, 32)),
    ("resnet-9-blocks", RESNET, (1, 32, 32)),
    ("resnet-wide", {**RESNET, "n_blocks": 3}, (1, 16, 24)),
    ("resnet-odd-quarters", {**RESNET, "n_blocks": 3}, (1, 20, 36)),
    # Its mechanisms; zero padding and dropout shift the keys of what follows.
    ("resnet-replicate", {**RESNET, "n_blocks": 1, "padding": "replicate"}, (1, 16, 16)),
    ("resnet-zero", {**RESNET, "n_blocks": 1, "padding": "zero"}, (1, 16, 16)),
    ("resnet-nearest", {**RESNET, "n_blocks": 1, "upsample": "nearest"}, (1, 16, 16)),
    ("resnet-bilinear", {**RESNET, "n_blocks": 1, "upsample": "bilinear"}, (1, 16, 24)),
    ("resnet-affine", {**RESNET, "n_blocks": 1, "norm": "instance-affine"}, (2, 16, 16)),
    ("resnet-batch", {**RESNET, "n_blocks": 1, "norm": "batch"}, (2, 16, 16)),
    ("resnet-no-norm", {**RESNET, "n_blocks": 1, "norm": "none"}, (1, 16, 16)),
    ("resnet-batch-nearest",
     {**RESNET, "n_blocks": 1, "norm": "batch", "upsample": "nearest"}, (1, 16, 16)),
    ("resnet-dropout", {**RESNET, "n_blocks": 2, "dropout": 0.5}, (1, 16, 16)),
    ("resnet-zero-dropout",
     {**RESNET, "n_blocks": 1, "padding": "zero", "dropout": 0.5}, (1, 16, 16)),
    ("unet-128", {"generator": "unet-128", "ngf": 2}, (1, 128, 128)),
    ("unet-128-wide", {"generator": "unet-128", "ngf": 2}, (1, 128, 256)),
    ("unet-128-batch", {"generator": "unet-128", "ngf": 2, "norm": "batch"}, (2, 128, 128)),
    ("unet-128-affine", {"generator": "unet-128", "ngf": 2, "norm": "instance-affine"}, (1, 128, 128)),
    ("unet-256", {"generator": "unet-256", "ngf": 2}, (1, 256, 256)),
    # Discriminators.
    ("patch-1-layer", {**PATCH, "n_layers": 1}, (1, 16, 16)),
    ("patch-2-layers", {**PATCH, "n_layers": 2}, (2, 32, 32)),
    ("patch-3-layers", PATCH, (1, 64, 64)),
    ("patch-3-layers-wide", PATCH, (1, 48, 80)),
    ("patch-4-layers", {**PATCH, "n_layers": 4}, (1, 64, 96)),
    ("patch-affine", {**PATCH, "n_layers": 2, "norm": "instance-affine"}, (1, 32, 32)),
    ("patch-batch", {**PATCH, "n_layers": 2, "norm": "batch"}, (2, 32, 32)),
    ("patch-no-norm", {**PATCH, "n_layers": 2, "norm": "none"}, (1, 32, 32)),
    ("pixel", {**PATCH, "discriminator": "pixel"}, (1, 16, 24)),
    ("pixel-batch", {**PATCH, "discriminator": "pixel", "norm": "batch"}, (2, 16, 16)),
    ("image", {**PATCH, "discriminator": "image", "n_layers": 2}, (2, 32, 32)),
]

# Full-size counts, as published or derived by arithmetic from the layer list.
COUNTS = [
    ("generator", {}, 11_378_179),
    ("generator", {"n_blocks": 6}, 7_837_699),
    ("generator", {"norm": "batch"}, 11_383_427),
    ("generator", {"norm": "instance-affine"}, 11_388_675),
    ("generator", {"generator": "unet-256", "norm": "batch"}, 54_413_955),
    ("generator", {"generator": "unet-256"}, 54_409_603),
    ("generator", {"generator": "unet-128", "norm": "batch"}, 41_828_995),
    ("discriminator", {"n_layers": 1}, 136_385),
    ("discriminator", {"n_layers": 2}, 662_977),
    ("discriminator", {}, 2_764_737),
    ("discriminator", {"n_layers": 4}, 6_959_553),
    ("discriminator", {"discriminator": "pixel"}, 8_705),
]


def network_vectors():
    """Cases for JSON, expected values for safetensors."""
    cases, tensors = [], {}
    for name, model, (n, height, width) in CASES:
        network, expected = output_of(name, model, (n, 3, height, width))
        stride = -(-expected.size // KEPT)
        tensors[name] = np.ascontiguousarray(expected.ravel()[::stride])
        cases.append({
            "name": name, "network": kind_of(model), "model": model,
            "shape": [n, 3, height, width], "parameters": count(network),
            "output_shape": list(expected.shape), "stride": stride,
        })
    return cases, tensors


def output_of(name, model, shape, dtype=torch.float32):
    network = MAKE[kind_of(model)](run_config({"model": model})["model"])
    fill_with_noise(network, name).to(dtype)
    # Switches dropout off; batch norm has no running statistics here and stays as it is.
    network.eval()
    images = torch.from_numpy(noise(f"{name}/input", shape, 1.0)).to(dtype)
    with torch.no_grad():
        return network, network(images).numpy()


def kind_of(model):
    return "discriminator" if "ndf" in model else "generator"


def parameter_counts():
    found = []
    for network, model, published in COUNTS:
        with torch.device("meta"):
            counted = count(MAKE[network](run_config({"model": model})["model"]))
        assert counted == published, f"{network} {model}: {counted}, published {published}"
        found.append({"network": network, "model": model, "count": counted})
    return found
