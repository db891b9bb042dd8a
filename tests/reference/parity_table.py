"""How far two trainings are apart: tables, and what is beyond its tolerance.

Relative to the largest value of a term, since a score may pass through 0.

Left out of the weights: biases right before an instance norm. Their true gradient is 0; what is
computed is rounding noise, which Adam, dividing it by its own size, turns into steps of up to the
learning rate. The norm takes them out again, so they change no image.
"""

import torch

from torch_networks import idle_biases

# The first step sees equal weights: only the forward passes differ.
FIRST_STEP = 1e-5
# Later steps and final weights: times the farthest of PyTorch's own trainings that differ by
# rounding. They are few samples of something random, so the factor is generous.
ROOM = 5
# They may all be lucky; a distance below this says nothing.
FLOOR = 2e-5


def compare_losses(expected, rivals, found):
    """Prints a line a term and a line a step; returns what is wrong.

    A training has a list of values, one a step, for every name; `rivals` are such trainings.
    """
    complaints = [f"`{name}` is not in the log" for name in expected if name not in found]
    complaints += [f"`{name}` is in the log, unexpected" for name in found if name not in expected]
    names = [name for name in expected if name in found]
    for name in names:
        steps = len(found[name]), len(expected[name])
        if steps[0] != steps[1]:
            return [*complaints, f"`{name}` has {steps[0]} steps, expected {steps[1]}"]
    ours = {name: distances(expected[name], found[name]) for name in names}
    theirs = {
        name: [max(step) for step in zip(*(distances(expected[name], it[name]) for it in rivals))]
        for name in names
    }

    print(f"{'largest difference':20} {'value, last':>12} {'step 1':>9} {'all':>9} {'rounding':>9}")
    for name in names:
        first, largest, room = ours[name][0], max(ours[name]), max(theirs[name])
        print(f"{name:20} {expected[name][-1]:12.6f} {first:9.1e} {largest:9.1e} {room:9.1e}")
        # Written so that a NaN is an error too.
        if not first <= FIRST_STEP:
            complaints.append(f"`{name}` differs by {first:.1e} in step 1, tolerance {FIRST_STEP:.0e}")
    print(f"{'step':20} {'':12} {'':9} {'all terms':>9} {'rounding':>9}")
    known = 0.0
    for step in range(len(expected[names[0]]) if names else 0):
        largest = max((ours[name][step] for name in names), key=nan_last)
        known = max(known, *(theirs[name][step] for name in names))
        tolerance = ROOM * max(known, FLOOR)
        print(f"{step + 1:<20} {'':12} {'':9} {largest:9.1e} {known:9.1e}")
        if not largest <= tolerance:
            complaints.append(f"step {step + 1} differs by {largest:.1e}, tolerance {tolerance:.0e}")
    return complaints


def compare_weights(networks, rivals, found, farthest):
    """Prints a line a network; returns what is wrong.

    `rivals` and `found` are state dicts by network; `farthest` is what Adam can have moved a weight,
    lr * steps.
    """
    complaints = []
    print(f"{'weights':20} {'largest / (lr * steps)':>22} {'relative norm':>14} {'rounding':>9}")
    for name, network in networks.items():
        expected = network.state_dict()
        if expected.keys() != found[name].keys():
            complaints.append(f"{name}: keys differ: {sorted(expected.keys() ^ found[name].keys())}")
            continue
        idle = idle_biases(network)
        expected, ours, *theirs = (
            torch.cat([state[key].double().flatten() for key in expected if key not in idle])
            for state in (expected, found[name], *(rival[name] for rival in rivals))
        )
        largest = ((ours - expected).abs().max() / farthest).item()
        norm = ((ours - expected).norm() / expected.norm()).item()
        known = max(((rival - expected).norm() / expected.norm()).item() for rival in theirs)
        tolerance = ROOM * max(known, FLOOR)
        print(f"{name:20} {largest:22.1e} {norm:14.1e} {known:9.1e}")
        if not norm <= tolerance:
            complaints.append(f"{name}: weights differ by {norm:.1e}, tolerance {tolerance:.0e}")
    return complaints


def distances(expected, found):
    scale = max(abs(value) for value in expected)
    return [abs(ours - theirs) / scale for theirs, ours in zip(expected, found)]


def nan_last(value):
    return float("inf") if value != value else value
