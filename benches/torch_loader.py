"""Times torchvision's transforms and PyTorch's loader over a folder, and prints images/s as JSON.

As upstream has them: resize, random crop, random mirror, to [-1, 1]; batch 1, A in shuffled order and
B at random. The first epoch starts the workers and is not counted.
"""

import argparse
import json
import random
import time
from pathlib import Path

import torch
import torchvision
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    pairs = Unaligned(args.images, args.load, args.crop)
    kept = args.workers > 0
    loader = DataLoader(pairs, shuffle=True, num_workers=args.workers, persistent_workers=kept)
    rates = [epoch(loader) for _ in range(2)]
    print(json.dumps({"torchvision": torchvision.__version__, "images_per_s": rates[-1]}))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder with trainA and trainB")
    parser.add_argument("--load", type=int, required=True)
    parser.add_argument("--crop", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    return parser.parse_args()


class Unaligned(Dataset):
    def __init__(self, images, load, crop):
        self.a, self.b = (sorted((images / f"train{domain}").iterdir()) for domain in "AB")
        self.transform = transforms.Compose([
            transforms.Resize([load, load], transforms.InterpolationMode.BICUBIC),
            transforms.RandomCrop(crop),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ])

    def __len__(self):
        return max(len(self.a), len(self.b))

    def __getitem__(self, index):
        return self.read(self.a[index % len(self.a)]), self.read(random.choice(self.b))

    def read(self, path):
        return self.transform(Image.open(path).convert("RGB"))


def epoch(loader):
    began = time.perf_counter()
    images = sum(len(a) + len(b) for a, b in loader)
    return images / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
