"""The value of every term of the objective, and its gradient in every network that it reaches."""

import numpy as np
import torch

from noise import noise
from run_config import run_config
from torch_cyclegan import (
    NETWORKS, REACH, generator_terms, judge_terms, networks_of_noise, translate,
)
from torch_networks import idle_biases

SMALL = {"ngf": 2, "ndf": 2, "n_blocks": 1, "n_layers": 1}
GENERATORS, JUDGES = ["gan_g_ab", "gan_g_ba"], ["d_a", "d_b"]
CYCLES, IDENTITIES = ["cycle_a", "cycle_b"], ["idt_a", "idt_b"]
PENALTIES = ["gp_a", "gp_b"]


def case(name, terms, model=None, loss=None, batch=2, size=16, digest=False):
    config = {"model": {**SMALL, **(model or {})}}
    if loss:
        config["loss"] = loss
    found = {"name": name, "config": config, "batch": batch, "size": size, "terms": terms}
    return {**found, "digest": True} if digest else found


# A case asks for terms by name; `gradient_vectors` puts their values in place of the names.
CASES = [
    case("lsgan", GENERATORS + CYCLES + IDENTITIES + JUDGES),
    case("vanilla", GENERATORS + JUDGES, loss={"gan_mode": "vanilla"}),
    case("hinge", GENERATORS + JUDGES, loss={"gan_mode": "hinge"}),
    case("wgan-gp", GENERATORS + JUDGES + PENALTIES, loss={"gan_mode": "wgan-gp"}),
    # What follows differs from these in one mechanism; digests keep the files small.
    case("cycle-l2", CYCLES, loss={"cycle_norm": "l2"}, digest=True),
    case("d-factor", JUDGES, loss={"d_factor": 1.0}, digest=True),
    case("image", GENERATORS + JUDGES, model={"discriminator": "image"}, digest=True),
    case("pixel", GENERATORS + JUDGES, model={"discriminator": "pixel"}, digest=True),
    case("batch", GENERATORS + JUDGES, model={"norm": "batch"}, digest=True),
    case("patch-2-layers", ["gan_g_ab"] + JUDGES, model={"n_layers": 2}, digest=True),
    case("penalty-2-layers", PENALTIES, model={"n_layers": 2}, loss={"gan_mode": "wgan-gp"},
         digest=True),
    # The penalty is carried through every kind of layer by hand in the Rust code.
    *(
        case(f"penalty-{name}", PENALTIES, model=model, loss={"gan_mode": "wgan-gp"}, digest=True)
        for name, model in [
            ("affine", {"norm": "instance-affine"}), ("no-norm", {"norm": "none"}),
            ("pixel", {"discriminator": "pixel"}), ("image", {"discriminator": "image"}),
        ]
    ),
    case("bilinear", ["cycle_a"], model={"upsample": "bilinear"}, digest=True),
    case("unet-skip", ["gan_g_ab", "cycle_a"], model={"generator": "unet-128", "ngf": 1},
         batch=1, size=128, digest=True),
    case("unet-256", ["cycle_b", "idt_a"], model={"generator": "unet-256", "ngf": 1},
         batch=1, size=256, digest=True),
]


def gradient_vectors():
    """Cases for JSON, `case/term/network/key` for safetensors."""
    cases, tensors = [], {}
    for asked in CASES:
        values, gradients = gradients_of(asked)
        done = {**asked, "terms": {name: values[name] for name in asked["terms"]}}
        if run_config(asked["config"])["loss"]["gan_mode"] == "wgan-gp":
            alpha = alpha_of(asked)
            done["alpha"] = {domain: alpha[domain].tolist() for domain in "ab"}
        for path, gradient in gradients.items():
            key = path.split("/")[-1]
            is_digest = asked.get("digest", False)
            tensors[path] = digest(key, gradient) if is_digest else gradient
        cases.append(done)
    return cases, tensors


def gradients_of(asked, dtype=torch.float32):
    name, config = asked["name"], run_config(asked["config"])
    networks = {k: net.to(dtype) for k, net in networks_of_noise(config, name).items()}
    shape = (asked["batch"], 3, asked["size"], asked["size"])
    a, b = (torch.from_numpy(noise(f"{name}/{domain}", shape, 1.0)).to(dtype) for domain in "ab")
    fake_a, fake_b = translate(networks, a, b)
    alpha = {domain: value.to(dtype) for domain, value in alpha_of(asked).items()}

    values, gradients = {}, {}
    freeze_judges(networks, True)
    terms = generator_terms(config, networks, a, b, fake_a, fake_b)
    collect(name, asked["terms"], terms, networks, values, gradients)
    freeze_judges(networks, False)
    terms = judge_terms(config, networks, a, b, fake_a, fake_b, alpha)
    collect(name, asked["terms"], terms, networks, values, gradients)
    return values, gradients


def freeze_judges(networks, frozen):
    for name in ("disc_a", "disc_b"):
        networks[name].requires_grad_(not frozen)


def collect(case_name, asked, terms, networks, values, gradients):
    for term in terms.keys() & set(asked):
        values[term] = terms[term].item()
        reached = set()
        for network in NETWORKS:
            parameters = dict(networks[network].named_parameters())
            if not all(parameter.requires_grad for parameter in parameters.values()):
                continue
            found = torch.autograd.grad(
                terms[term], list(parameters.values()), retain_graph=True, allow_unused=True
            )
            if all(gradient is None for gradient in found):
                continue
            reached.add(network)
            # The last bias of a judge has no part in a gradient penalty.
            found = [torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters.values())]
            silence(dict(zip(parameters, found)), idle_biases(networks[network]))
            for key, gradient in zip(parameters, found):
                gradients[f"{case_name}/{term}/{network}/{key}"] = gradient.numpy()
        assert reached == REACH[term], f"{case_name}: {term} reaches {reached}"


def silence(gradients, idle):
    """Puts the true value, 0, where rounding noise was computed."""
    largest = max(gradient.norm() for gradient in gradients.values())
    for key in idle:
        assert gradients[key].norm() < 1e-5 * largest, f"{key} has a gradient"
        gradients[key].zero_()


def alpha_of(asked):
    """In [0, 1), one an image."""
    unit = {d: noise(f"{asked['name']}/alpha/{d}", (asked["batch"],), 1.0) for d in "ab"}
    return {domain: torch.from_numpy((value + 1) / 2) for domain, value in unit.items()}


def digest(key, gradient):
    """[norm, product with noise]: two numbers that a wrong gradient does not both meet."""
    gradient = gradient.astype(np.float64).ravel()
    against = noise(f"digest/{key}", gradient.shape, 1.0).astype(np.float64)
    return np.array([np.linalg.norm(gradient), gradient @ against], dtype=np.float32)
