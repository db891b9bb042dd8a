"""The configurations that are timed: the reference preset's, but for size."""

import tomllib
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    px: int
    ngf: int
    n_blocks: int
    batch: int
    n_layers: int = 3

    def __str__(self):
        return f"{self.px} px, ngf {self.ngf}, {self.n_blocks} blocks, batch {self.batch}"

    def settings(self):
        """Leaf by leaf, as both programs take them: `--set model.ngf=16`."""
        return {
            "data.load_size": self.px, "data.crop_size": self.px, "data.batch_size": self.batch,
            "model.ngf": self.ngf, "model.ndf": self.ngf, "model.n_blocks": self.n_blocks,
            "model.n_layers": self.n_layers,
        }

    def arguments(self):
        pairs = (f"{leaf}={value}" for leaf, value in self.settings().items())
        return [word for pair in pairs for word in ("--set", pair)]


# At 32 px a 70×70 patch would be larger than the image: 2 layers there, as in `experiments/`.
CPU = [
    Size(32, 16, 3, 1, n_layers=2),
    Size(32, 32, 3, 4, n_layers=2),
    Size(64, 32, 6, 1),
    Size(128, 64, 6, 1),
]
CUDA = [Size(256, 64, 9, 1), Size(256, 64, 9, 8), Size(128, 64, 6, 1), Size(128, 64, 6, 8)]


def sections(settings):
    """`["model.ngf=16"]` as `{"model": {"ngf": 16}}`."""
    nested = {}
    for setting in settings:
        leaf, value = setting.split("=", 1)
        section, name = leaf.split(".", 1)
        nested.setdefault(section, {})[name] = tomllib.loads(f"x = {value}")["x"]
    return nested
