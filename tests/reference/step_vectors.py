"""Three whole steps of training: the losses of each, the weights after them."""

import torch

from gradient_vectors import SMALL
from noise import noise
from run_config import run_config
from torch_cyclegan import NETWORKS, Trainer, networks_of, networks_of_noise
from torch_networks import idle_biases

STEPS = 3
SIZE = 16


def case(name, batch=2, model=None, **sections):
    config = {"model": {**SMALL, **(model or {})}, **sections}
    return {"name": name, "config": config, "batch": batch, "size": SIZE}


CASES = [
    # The pools are still filling, so no draw decides anything.
    case("reference"),
    case("log", batch=1, model={"n_layers": 2}, loss={"gan_mode": "vanilla", "lambda_cycle": 5.0}),
    case("hinge-cycle", loss={"gan_mode": "hinge", "lambda_identity": 0.0}),
    # Full from its first image on, and swapping every time: the draws leave no choice.
    case("full-pool", pool={"size": 1, "swap_probability": 1.0}),
    case("decay", train={"n_epochs": None, "n_epochs_decay": None, "steps": 1, "steps_decay": 2}),
]
# Also weights after the first step, so that a wrong first step is told from a wrong moment.
WITH_FIRST_STEP = "reference"


def step_vectors():
    """Cases for JSON; `case/network/key`, for the first step `case/1/network/key`, for safetensors."""
    cases, tensors = [], {}
    for asked in CASES:
        steps = []
        for step, losses, lr, networks in train(asked):
            steps.append({"losses": losses, "lr": lr})
            if step == 1 and asked["name"] == WITH_FIRST_STEP:
                tensors.update(weights(f"{asked['name']}/1", networks))
        tensors.update(weights(asked["name"], networks))
        cases.append({**asked, "steps": steps, "idle": idle_keys(asked)})
    return cases, tensors


def idle_keys(asked):
    """What a comparison of weights leaves out: Adam makes steps of rounding noise there."""
    networks = networks_of(run_config(asked["config"]))
    kinds = {"generator": "gen_ab", "discriminator": "disc_a"}
    return {kind: idle_biases(networks[name]) for kind, name in kinds.items()}


def train(asked, dtype=torch.float32):
    """Yields step, losses, learning rate and the networks as they are then."""
    name, config = asked["name"], run_config(asked["config"])
    networks = {k: net.to(dtype) for k, net in networks_of_noise(config, name).items()}
    trainer = Trainer(config, networks, draw=lambda: (1.0, 0))
    shape = (asked["batch"], 3, asked["size"], asked["size"])
    for step in range(1, STEPS + 1):
        inputs = (torch.from_numpy(noise(f"{name}/{domain}/{step}", shape, 1.0)) for domain in "ab")
        a, b = (images.to(dtype) for images in inputs)
        factor = lr_factor(config["train"], step)
        losses = trainer.step(a, b, factor)
        yield step, losses, config["optim"]["lr_g"] * factor, networks


def lr_factor(train, step):
    """Upstream's linear law, counted in steps; without steps, all of them lie in the first epoch."""
    if train["steps"] is None:
        return 1.0
    return 1.0 - max(0, step - train["steps"]) / (train["steps_decay"] + 1)


def weights(prefix, networks):
    return {
        f"{prefix}/{name}/{key}": tensor.numpy().copy()
        for name in NETWORKS
        for key, tensor in networks[name].state_dict().items()
    }
