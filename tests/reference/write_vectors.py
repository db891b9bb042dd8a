"""Writes `vectors/`: the values that the Rust tests compare with.

    python write_vectors.py [--out DIR]

Every network case is computed a second time in float64, and refused where float32 is far from it:
such a case stands at a kink (of a ReLU or an absolute value), and another order of summation would
legitimately give another answer.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save

import gradient_vectors
import jpeg_vectors
import network_vectors
import rule_vectors
import step_vectors
import transform_vectors
from run_config import run_config
from weight_files import write_weight_files

# Largest deviations of float32 from float64 that a case may have.
FORWARD = 1e-5          # of the largest output
GRADIENT = 4e-5         # of a tensor's norm
STEP = 2e-3             # of the learning rate, for a weight after three steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "vectors")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    write(out, "networks", *network_vectors.network_vectors())
    write(out, "gradients", *gradient_vectors.gradient_vectors())
    write(out, "steps", *step_vectors.step_vectors())
    write(out, "parameters", network_vectors.parameter_counts())
    write(out, "pool", rule_vectors.pool_traces())
    write(out, "lr_factors", rule_vectors.lr_factors())
    write(out, "transforms", transform_vectors.transform_vectors())
    write(out, "jpegs", jpeg_vectors.jpeg_vectors(out))
    write_weight_files(out)

    check("forward", forward_deviations(), FORWARD)
    check("gradient", gradient_deviations(), GRADIENT)
    check("step", step_deviations(), STEP)
    total = sum(path.stat().st_size for path in out.iterdir())
    print(f"{total / 1000:.0f} kB in {out}")


def write(out, name, cases, tensors=None):
    """One case a line."""
    lines = ",\n".join(json.dumps(case, separators=(",", ": ")) for case in cases)
    (out / f"{name}.json").write_text(f"[\n{lines}\n]\n")
    if tensors is not None:
        # `save` writes memory as it lies, and autograd returns some gradients transposed.
        dense = {key: np.ascontiguousarray(tensor) for key, tensor in tensors.items()}
        (out / f"{name}.safetensors").write_bytes(save(dense))


def forward_deviations():
    for name, model, (n, *sides) in network_vectors.CASES:
        shape = (n, 3, *sides)
        _, single = network_vectors.output_of(name, model, shape)
        _, double = network_vectors.output_of(name, model, shape, torch.float64)
        yield name, np.abs(single - double).max() / np.abs(double).max()


def gradient_deviations():
    for case in gradient_vectors.CASES:
        _, single = gradient_vectors.gradients_of(case)
        _, double = gradient_vectors.gradients_of(case, torch.float64)
        for path, true in double.items():
            norm = np.linalg.norm(true)
            # Where the true gradient is 0 there is nothing to compare.
            if norm > 1e-12:
                yield path, np.linalg.norm(single[path] - true) / norm


def step_deviations():
    for case in step_vectors.CASES:
        idle = sum(step_vectors.idle_keys(case).values(), [])
        *_, (*_, single) = step_vectors.train(case)
        *_, (*_, double) = step_vectors.train(case, torch.float64)
        lr = run_config(case["config"])["optim"]["lr_g"]
        for name, network in double.items():
            ours = single[name].state_dict()
            for key, true in network.state_dict().items():
                if key not in idle:
                    yield f"{case['name']}/{name}/{key}", (ours[key] - true).abs().max().item() / lr


def check(what, deviations, limit):
    worst, name = max((deviation, name) for name, deviation in deviations)
    print(f"{what}: float32 is at most {worst:.1e} from float64 ({name}), limit {limit:.0e}")
    assert worst < limit, f"{name} stands at a kink; rename or resize the case"


if __name__ == "__main__":
    main()
