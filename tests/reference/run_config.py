"""The leaves of a run configuration that decide what these files compute."""

import copy
import json
import tomllib
from pathlib import Path

REFERENCE = {
    "model": {
        "generator": "resnet", "ngf": 64, "n_blocks": 9, "upsample": "transpose",
        "padding": "reflect", "norm": "instance", "dropout": 0.0, "discriminator": "patch",
        "ndf": 64, "n_layers": 3,
    },
    "loss": {
        "gan_mode": "lsgan", "lambda_cycle": 10.0, "cycle_norm": "l1", "lambda_identity": 0.5,
        "d_factor": 0.5, "gp_weight": 10.0,
    },
    "pool": {"size": 50, "swap_probability": 0.5},
    "optim": {"lr_g": 2e-4, "lr_d": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8},
    "train": {"n_epochs": 100, "n_epochs_decay": 100, "steps": None, "steps_decay": None},
}


def run_config(differences):
    """The reference preset with some leaves replaced; leaves unknown here are kept."""
    config = copy.deepcopy(REFERENCE)
    for section, leaves in differences.items():
        config.setdefault(section, {}).update(leaves)
    return config


def read_run_config(path):
    """From JSON, or from the config.toml of a run's folder."""
    text = Path(path).read_text()
    return run_config(tomllib.loads(text) if Path(path).suffix == ".toml" else json.loads(text))
