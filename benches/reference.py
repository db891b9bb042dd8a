"""PyTorch's side, from where our numbers are tested against it: `tests/reference`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reference"))

from pictures import read_image
from run_config import run_config
from torch_cyclegan import Trainer, generator_terms, judge_terms, networks_of, translate

__all__ = [
    "Trainer", "generator_terms", "judge_terms", "networks_of", "read_image", "run_config",
    "translate",
]
