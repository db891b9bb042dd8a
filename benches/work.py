"""The arithmetic of one training step, counted: no weights, no images, no time."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from reference import generator_terms, judge_terms, networks_of, run_config, translate
from sizes import sections
from torch_step import BenchTrainer


def multiply_accumulates(size):
    """Of convolutions, forward and backward, as PyTorch's FlopCounterMode counts them."""
    config = run_config(sections(f"{leaf}={value}" for leaf, value in size.settings().items()))
    with torch.device("meta"):
        networks = networks_of(config)
        a, b = (torch.empty(size.batch, 3, size.px, size.px) for _ in "ab")
    trainer = BenchTrainer(config, networks)
    with FlopCounterMode(display=False) as counter:
        fake_a, fake_b = translate(networks, a, b)
        trainer.freeze_judges(True)
        sum(generator_terms(config, networks, a, b, fake_a, fake_b).values()).backward()
        trainer.freeze_judges(False)
        sum(judge_terms(config, networks, a, b, fake_a, fake_b).values()).backward()
    return counter.get_total_flops() // 2
