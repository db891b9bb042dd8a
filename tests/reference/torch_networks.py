"""The networks in PyTorch, their modules numbered as upstream's, so that the keys of their state
dicts are upstream's.

Written from the description of junyanz/pytorch-CycleGAN-and-pix2pix at 2a7afba. Ours, not upstream's:
`norm = "none"` keeps the biases; `padding` also holds for the two 7x7 convolutions; the resizing
up-sampling is the one of upstream's FAQ, without a bias before a batch norm; batch norm keeps no
running statistics.
"""

import torch
from torch import nn

from noise import noise


def generator(model):
    """`model` is the section of a run configuration."""
    if model["generator"] == "resnet":
        return ResnetGenerator(model)
    return UnetGenerator(model)


def discriminator(model):
    if model["discriminator"] == "pixel":
        return PixelDiscriminator(model)
    return NLayerDiscriminator(model)


def norm_layer(kind, channels):
    match kind:
        case "instance":
            return nn.InstanceNorm2d(channels)
        case "instance-affine":
            return nn.InstanceNorm2d(channels, affine=True)
        case "batch":
            return nn.BatchNorm2d(channels, track_running_stats=False)
        case "none":
            return nn.Identity()


def has_bias(norm):
    """Of convolutions before a norm."""
    return norm != "batch"


def pad_layer(kind, width):
    layers = {"reflect": nn.ReflectionPad2d, "replicate": nn.ReplicationPad2d, "zero": nn.ZeroPad2d}
    return layers[kind](width)


class ResnetGenerator(nn.Module):
    def __init__(self, model, make_norm=norm_layer):
        super().__init__()
        ngf, norm, padding = model["ngf"], model["norm"], model["padding"]
        bias = has_bias(norm)

        def normed(layer, channels):
            return [layer, make_norm(norm, channels), nn.ReLU()]

        def up(inputs, outputs):
            if model["upsample"] == "transpose":
                layer = nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1, bias=bias)
                return normed(layer, outputs)
            resize = nn.Upsample(scale_factor=2, mode=model["upsample"])
            conv = nn.Conv2d(inputs, outputs, 3, bias=bias)
            return [resize, nn.ReflectionPad2d(1), *normed(conv, outputs)]

        self.model = nn.Sequential(
            pad_layer(padding, 3),
            *normed(nn.Conv2d(3, ngf, 7, bias=bias), ngf),
            *normed(nn.Conv2d(ngf, 2 * ngf, 3, stride=2, padding=1, bias=bias), 2 * ngf),
            *normed(nn.Conv2d(2 * ngf, 4 * ngf, 3, stride=2, padding=1, bias=bias), 4 * ngf),
            *(ResnetBlock(4 * ngf, model, make_norm) for _ in range(model["n_blocks"])),
            *up(4 * ngf, 2 * ngf),
            *up(2 * ngf, ngf),
            pad_layer(padding, 3),
            nn.Conv2d(ngf, 3, 7),
            nn.Tanh(),
        )

    def forward(self, images):
        return self.model(images)


class ResnetBlock(nn.Module):
    """Zero padding is part of the convolution, as upstream's, so it takes no number; dropout does."""

    def __init__(self, channels, model, make_norm):
        super().__init__()

        def conv():
            bias = has_bias(model["norm"])
            if model["padding"] == "zero":
                return [nn.Conv2d(channels, channels, 3, padding=1, bias=bias)]
            return [pad_layer(model["padding"], 1), nn.Conv2d(channels, channels, 3, bias=bias)]

        def norm():
            return make_norm(model["norm"], channels)

        dropout = [nn.Dropout(model["dropout"])] if model["dropout"] > 0 else []
        self.conv_block = nn.Sequential(*conv(), norm(), nn.ReLU(), *dropout, *conv(), norm())

    def forward(self, x):
        return x + self.conv_block(x)


class UnetGenerator(nn.Module):
    def __init__(self, model):
        super().__init__()
        halvings = {"unet-128": 7, "unet-256": 8}[model["generator"]]
        widths = [3] + [model["ngf"] * min(2**level, 8) for level in range(halvings)]
        self.model = UnetLevel(model, widths, 0)

    def forward(self, images):
        return self.model(images)


class UnetLevel(nn.Module):
    """Halves, calls the next level, doubles, and hands its input on beside the result.

    Upstream's LeakyReLU works in place and so also changes the skipped input; the ReLU that follows
    the skip makes both the same.
    """

    def __init__(self, model, widths, level):
        super().__init__()
        self.outermost, innermost = level == 0, level == len(widths) - 2
        outer, inner = widths[level], widths[level + 1]
        norm, bias = model["norm"], has_bias(model["norm"])
        down = nn.Conv2d(outer, inner, 4, stride=2, padding=1, bias=bias)
        joined = inner if innermost else 2 * inner
        up = nn.ConvTranspose2d(joined, outer, 4, 2, 1, bias=bias or self.outermost)
        if self.outermost:
            layers = [down, UnetLevel(model, widths, level + 1), nn.ReLU(), up, nn.Tanh()]
        elif innermost:
            layers = [nn.LeakyReLU(0.2), down, nn.ReLU(), up, norm_layer(norm, outer)]
        else:
            layers = [
                nn.LeakyReLU(0.2), down, norm_layer(norm, inner),
                UnetLevel(model, widths, level + 1),
                nn.ReLU(), up, norm_layer(norm, outer),
            ]
            if outer == inner and model["dropout"] > 0:
                layers.append(nn.Dropout(model["dropout"]))
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class NLayerDiscriminator(nn.Module):
    """The PatchGAN; with `discriminator = "image"` its scores are averaged to one an image."""

    def __init__(self, model):
        super().__init__()
        self.whole_image = model["discriminator"] == "image"
        ndf, n_layers, norm = model["ndf"], model["n_layers"], model["norm"]
        widths = [ndf * min(2**i, 8) for i in range(n_layers + 1)]
        layers = [nn.Conv2d(3, ndf, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for i in range(1, n_layers + 1):
            stride = 2 if i < n_layers else 1
            conv = nn.Conv2d(widths[i - 1], widths[i], 4, stride, 1, bias=has_bias(norm))
            layers += [conv, norm_layer(norm, widths[i]), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))

    def forward(self, images):
        scores = self.model(images)
        return scores.mean((1, 2, 3), keepdim=True) if self.whole_image else scores


class PixelDiscriminator(nn.Module):
    def __init__(self, model):
        super().__init__()
        ndf, norm = model["ndf"], model["norm"]
        bias = has_bias(norm)
        self.net = nn.Sequential(
            nn.Conv2d(3, ndf, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(ndf, 2 * ndf, 1, bias=bias),
            norm_layer(norm, 2 * ndf),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * ndf, 1, 1, bias=bias),
        )

    def forward(self, images):
        return self.net(images)


def fill_with_noise(network, prefix):
    """Replaces every parameter by noise named `prefix/key`; returns the network.

    Scales: 0.2 for weights of convolutions, 0.1 for biases; weights of norms lie about 1.
    """
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            is_bias, is_norm = key.endswith("bias"), parameter.dim() == 1
            value = noise(f"{prefix}/{key}", tuple(parameter.shape), 0.1 if is_bias else 0.2)
            if is_norm and not is_bias:
                value = value + value.dtype.type(1)
            parameter.copy_(torch.from_numpy(value))
    return network


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def idle_biases(network):
    """Keys of biases whose true gradient is 0: the instance norm right behind takes them out again.

    What a framework computes for them is rounding noise, which Adam turns into steps of up to the
    learning rate.
    """
    keys = []
    for prefix, module in network.named_modules():
        if not isinstance(module, nn.Sequential):
            continue
        layers = list(module.named_children())
        for (index, layer), (_, follower) in zip(layers, layers[1:]):
            is_conv = isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
            if is_conv and isinstance(follower, nn.InstanceNorm2d):
                keys.append(f"{prefix}.{index}.bias")
    return keys
