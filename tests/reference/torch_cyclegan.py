"""CycleGAN's losses, image pool and training step in PyTorch, as upstream's `optimize_parameters`.

Names follow this project: `disc_b` judges domain B (upstream calls it netD_A), `cycle_a` compares
with an image of A, `idt_b` is `gen_ab(b)` compared with b.
"""

import itertools

import torch
from torch.nn import functional as F

from torch_networks import discriminator, fill_with_noise, generator

NETWORKS = ("gen_ab", "gen_ba", "disc_a", "disc_b")
# The networks that the gradient of each term reaches in a training step.
REACH = {
    "gan_g_ab": {"gen_ab"}, "gan_g_ba": {"gen_ba"},
    "cycle_a": {"gen_ab", "gen_ba"}, "cycle_b": {"gen_ab", "gen_ba"},
    "idt_a": {"gen_ba"}, "idt_b": {"gen_ab"},
    "d_a": {"disc_a"}, "d_b": {"disc_b"},
    "gp_a": {"disc_a"}, "gp_b": {"disc_b"},
}


def networks_of(config):
    """The four networks by name, with PyTorch's own initial weights."""
    make = {"gen": generator, "disc": discriminator}
    return {name: make[name.split("_")[0]](config["model"]) for name in NETWORKS}


def networks_of_noise(config, case):
    networks = networks_of(config)
    return {name: fill_with_noise(net, f"{case}/{name}") for name, net in networks.items()}


def generator_loss(mode, scores):
    match mode:
        case "lsgan":
            return F.mse_loss(scores, torch.ones_like(scores))
        case "vanilla":
            return F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))
        case "hinge" | "wgan-gp":
            return -scores.mean()


def judge_loss(mode, real, fake):
    match mode:
        case "lsgan":
            return F.mse_loss(real, torch.ones_like(real)) + F.mse_loss(fake, torch.zeros_like(fake))
        case "vanilla":
            entropy = F.binary_cross_entropy_with_logits
            return entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
        case "hinge":
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        case "wgan-gp":
            return -real.mean() + fake.mean()


def gradient_penalty(judge, real, fake, alpha):
    """How far the norm of d(sum of scores)/d(image) is from 1, between a real and a fake.

    `alpha` has one value an image. Upstream's `cal_gradient_penalty` in its mode "mixed", with
    constant 1 and before its weight.
    """
    alpha = alpha.view(-1, 1, 1, 1)
    between = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    (slope,) = torch.autograd.grad(judge(between).sum(), between, create_graph=True)
    # 1e-16 keeps the norm differentiable where an image has no gradient at all.
    norms = (slope.flatten(1) + 1e-16).norm(2, dim=1)
    return ((norms - 1) ** 2).mean()


def translate(networks, a, b):
    """fake_a, fake_b."""
    return networks["gen_ba"](b), networks["gen_ab"](a)


def generator_terms(config, networks, a, b, fake_a, fake_b):
    """Before their weights. The judges must be frozen."""
    loss = config["loss"]
    distance = {"l1": F.l1_loss, "l2": F.mse_loss}[loss["cycle_norm"]]
    gen_ab, gen_ba = networks["gen_ab"], networks["gen_ba"]
    terms = {
        "gan_g_ab": generator_loss(loss["gan_mode"], networks["disc_b"](fake_b)),
        "gan_g_ba": generator_loss(loss["gan_mode"], networks["disc_a"](fake_a)),
        "cycle_a": distance(gen_ba(fake_b), a),
        "cycle_b": distance(gen_ab(fake_a), b),
    }
    if loss["lambda_identity"] > 0:
        terms["idt_a"] = F.l1_loss(gen_ba(a), a)
        terms["idt_b"] = F.l1_loss(gen_ab(b), b)
    return terms


def judge_terms(config, networks, a, b, shown_a, shown_b, alpha=None):
    """`shown_a`, `shown_b`: fakes, maybe from a pool; `alpha` by domain for "wgan-gp".

    The factor on the discriminators' loss is part of the term, the penalty's weight is not.
    """
    loss = config["loss"]
    terms = {}
    for domain, real, fake in [("a", a, shown_a), ("b", b, shown_b)]:
        judge, fake = networks[f"disc_{domain}"], fake.detach()
        verdict = judge_loss(loss["gan_mode"], judge(real), judge(fake))
        terms[f"d_{domain}"] = loss["d_factor"] * verdict
        if loss["gan_mode"] == "wgan-gp":
            terms[f"gp_{domain}"] = gradient_penalty(judge, real, fake, alpha[domain])
    return terms


def weight(term, loss):
    """The factor a term carries in the objective."""
    kind = term.split("_")[0]
    by_kind = {
        "gan": 1.0, "d": 1.0, "gp": loss["gp_weight"], "cycle": loss["lambda_cycle"],
        "idt": loss["lambda_cycle"] * loss["lambda_identity"],
    }
    return by_kind[kind]


class ImagePool:
    """Up to `size` fakes. `draw` gives (u in [0, 1), slot), asked once for each query of a full pool."""

    def __init__(self, size, swap_probability, draw):
        self.size, self.swap_probability, self.draw = size, swap_probability, draw
        self.images = []

    def query(self, batch):
        return [self.exchange(image) for image in batch]

    def exchange(self, image):
        if len(self.images) < self.size:
            self.images.append(image)
            return image
        if self.size == 0:
            return image
        u, slot = self.draw()
        if u > 1 - self.swap_probability:
            image, self.images[slot] = self.images[slot], image
        return image


class Trainer:
    """One Adam over both generators, one over both discriminators."""

    def __init__(self, config, networks, draw=None):
        self.config, self.networks = config, networks
        optim, pool = config["optim"], config["pool"]
        self.generators = [networks["gen_ab"], networks["gen_ba"]]
        self.judges = [networks["disc_a"], networks["disc_b"]]
        self.pools = {domain: ImagePool(**pool, draw=draw) for domain in "ab"}

        def adam(group, lr):
            parameters = itertools.chain.from_iterable(net.parameters() for net in group)
            betas = (optim["beta_1"], optim["beta_2"])
            return torch.optim.Adam(parameters, lr, betas, optim["epsilon"])

        self.adam_g = adam(self.generators, optim["lr_g"])
        self.adam_d = adam(self.judges, optim["lr_d"])

    def step(self, a, b, lr_factor=1.0):
        """Updates all networks; returns the terms before their weights."""
        fake_a, fake_b = translate(self.networks, a, b)
        self.freeze_judges(True)
        terms = generator_terms(self.config, self.networks, a, b, fake_a, fake_b)
        self.update(self.adam_g, terms, self.config["optim"]["lr_g"] * lr_factor)
        # The judges see the fakes of before that update; upstream asks the pool of B first.
        self.freeze_judges(False)
        shown_b = torch.stack(self.pools["b"].query(fake_b.detach()))
        shown_a = torch.stack(self.pools["a"].query(fake_a.detach()))
        judged = judge_terms(self.config, self.networks, a, b, shown_a, shown_b)
        self.update(self.adam_d, judged, self.config["optim"]["lr_d"] * lr_factor)
        return {name: value.item() for name, value in {**terms, **judged}.items()}

    def freeze_judges(self, frozen):
        for judge in self.judges:
            judge.requires_grad_(not frozen)

    def update(self, adam, terms, lr):
        adam.zero_grad()
        loss = self.config["loss"]
        sum(weight(name, loss) * value for name, value in terms.items()).backward()
        adam.param_groups[0]["lr"] = lr
        adam.step()
