"""State dicts as they are found in the wild, small: read, or refused with the reason."""

from collections import OrderedDict

import torch
from torch import nn

from noise import noise
from run_config import run_config
from torch_networks import ResnetGenerator, fill_with_noise

SMALL = {"ngf": 2, "n_blocks": 1}
# The channels that CUT's second network sees, at the layers it looks at, for ngf = 2; its own width.
CUT_FEATURES, CUT_WIDTH = [3, 4, 8, 8, 8], 4


def write_weight_files(folder):
    legacy = {"_use_new_zipfile_serialization": False}
    torch.save(published(), folder / "legacy.pth", **legacy)
    torch.save(generator().state_dict(), folder / "zipped.pth")
    torch.save(generator("dropout_shifted", dropout=0.5).state_dict(), folder / "dropout_shifted.pth")
    torch.save(cut_generator(), folder / "cut.pth", **legacy)
    torch.save(cut_projection(), folder / "cut_f.pth", **legacy)


def generator(prefix="legacy", **model):
    config = run_config({"model": {**SMALL, **model}})
    return fill_with_noise(ResnetGenerator(config["model"]), prefix)


def published():
    """As upstream saved in mid-2018: the instance norms carry statistics that it never uses."""
    def make_norm(_, channels):
        return nn.InstanceNorm2d(channels, track_running_stats=True)

    network = ResnetGenerator(run_config({"model": SMALL})["model"], make_norm)
    fill_with_noise(network, "legacy")
    # Far from what an instance norm computes, so that using them would show.
    for key, buffer in network.named_buffers():
        if key.endswith("running_mean"):
            buffer.copy_(torch.from_numpy(noise(f"legacy/{key}", tuple(buffer.shape), 1.0)))
        elif key.endswith("running_var"):
            buffer.copy_(torch.from_numpy(noise(f"legacy/{key}", tuple(buffer.shape), 0.5)) + 1)
        else:
            buffer.fill_(266_800)
    return network.state_dict()


def cut_generator():
    """The default generator of contrastive-unpaired-translation (CUT), at `SMALL`.

    It samples with fixed blurs, which are modules of their own: the numbers of the layers behind
    shift, and their kernels are saved as `filt`.
    """
    ngf, n = SMALL["ngf"], SMALL["n_blocks"]
    state = OrderedDict()

    def conv(index, outputs, inputs, kernel):
        for kind, shape in [("weight", (outputs, inputs, kernel, kernel)), ("bias", (outputs,))]:
            key = f"model.{index}.{kind}"
            scale = 0.2 if kind == "weight" else 0.1
            state[key] = torch.from_numpy(noise(f"cut/{key}", shape, scale))

    def blur(index, channels, taps, gain):
        row = torch.tensor(taps)
        kernel = torch.outer(row, row) / row.sum() ** 2 * gain
        state[f"model.{index}.filt"] = kernel.repeat(channels, 1, 1, 1)

    conv(1, ngf, 3, 7)
    conv(4, 2 * ngf, ngf, 3)
    blur(7, 2 * ngf, [1.0, 2.0, 1.0], 1.0)
    conv(8, 4 * ngf, 2 * ngf, 3)
    blur(11, 4 * ngf, [1.0, 2.0, 1.0], 1.0)
    for block in range(12, 12 + n):
        for index in (1, 5):
            conv(f"{block}.conv_block.{index}", 4 * ngf, 4 * ngf, 3)
    blur(12 + n, 4 * ngf, [1.0, 3.0, 3.0, 1.0], 4.0)
    conv(13 + n, 2 * ngf, 4 * ngf, 3)
    blur(16 + n, 2 * ngf, [1.0, 3.0, 3.0, 1.0], 4.0)
    conv(17 + n, ngf, 2 * ngf, 3)
    conv(21 + n, 3, ngf, 7)
    return state


def cut_projection():
    """CUT's second file, `netF`: two linear layers for each depth that its loss looks at."""
    state = OrderedDict()
    for i, channels in enumerate(CUT_FEATURES):
        for index, inputs in [(0, channels), (2, CUT_WIDTH)]:
            for kind, shape in [("weight", (CUT_WIDTH, inputs)), ("bias", (CUT_WIDTH,))]:
                key = f"mlp_{i}.{index}.{kind}"
                state[key] = torch.from_numpy(noise(f"cut_f/{key}", shape, 0.1))
    return state
