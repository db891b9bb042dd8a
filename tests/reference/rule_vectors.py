"""The rules without a tensor: what the image pool returns, and the learning rate of every epoch."""

import random

import torch

from torch_cyclegan import ImagePool

# Pool size, images in all, images a batch, seed of the draws.
POOLS = [(0, 12, 1, 0), (1, 40, 1, 1), (50, 220, 1, 2), (50, 219, 3, 3)]
EPOCHS = [(100, 100), (3, 2)]


def pool_traces():
    """Images are numbers here. Every query of a full pool has its own draw, in order."""
    return [pool_trace(*asked) for asked in POOLS]


def pool_trace(size, count, batch, seed):
    source, draws = random.Random(seed), []

    def draw():
        # In upstream's order: the decision, then the slot, only where it is needed.
        u = source.uniform(0, 1)
        draws.append([u, source.randint(0, size - 1) if u > 0.5 else None])
        return draws[-1]

    pool = ImagePool(size, 0.5, draw)
    inputs = list(range(count))
    outputs = [
        image for start in range(0, count, batch) for image in pool.query(inputs[start:][:batch])
    ]
    return {
        "size": size, "swap_probability": 0.5, "batch": batch, "draws": draws,
        "inputs": inputs, "outputs": outputs, "kept": pool.images,
    }


def lr_factors():
    """The factor on the learning rate in every epoch, counted from 1."""
    laws = {"linear-torch": torch_factors, "linear-paper": lua_factors}
    return [
        {"law": law, "n_epochs": n, "n_epochs_decay": n_decay, "factors": factors(n, n_decay)}
        for law, factors in laws.items()
        for n, n_decay in EPOCHS
    ]


def torch_factors(n, n_decay):
    """PyTorch's scheduler with upstream's rule, stepped at the end of an epoch."""
    epoch_count = 1
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda epoch: 1.0 - max(0, epoch + epoch_count - n) / (n_decay + 1)
    )
    factors = []
    for _ in range(n + n_decay):
        factors.append(adam.param_groups[0]["lr"])
        adam.step()
        scheduler.step()
    return factors


def lua_factors(n, n_decay):
    """The authors' first code: a fixed amount less at the end of every epoch beyond `n`."""
    rate, factors = 1.0, []
    for epoch in range(1, n + n_decay + 1):
        factors.append(rate)
        if epoch > n:
            rate -= 1.0 / n_decay
    return factors
