"""Images a second from files: ours against torchvision's transforms, as upstream chains them.

Upstream decodes and resizes each image in every epoch; ours does so once (`prepare`), and then reads
what it has kept (`read`). The same folder for both: JPEGs on one side, PNGs on the other.
"""

from made_pictures import write_folder
from workbench import median

WIDTH, HEIGHT, LOAD, CROP = 400, 300, 286, 256
WORKERS = [0, 2]


def measure(bench):
    count = 8 if bench.quick else 100
    images = bench.folder("loader-images")
    write_folder(images, {"trainA": count, "trainB": count}, WIDTH, HEIGHT, ending)
    kept = bench.folder("cache")
    measures = {"prepare": lambda: ours(bench, images, bench.folder("cache"), 1)}
    measures["read"] = lambda: ours(bench, images, kept, 20 if bench.quick else 1000)
    for workers in WORKERS:
        measures[f"workers_{workers}"] = lambda workers=workers: torchvision(bench, images, workers)
    answers = bench.alternate(measures)
    prepared = [answer["count"] / answer["opened_s"] for answer in answers["prepare"]]
    read = [answer["images_per_s"] for answer in answers["read"]]
    theirs = {
        str(workers): rates([it["images_per_s"] for it in answers[f"workers_{workers}"]])
        for workers in WORKERS
    }
    return {
        "images": 2 * count,
        "pixels": [WIDTH, HEIGHT],
        "load_size": LOAD,
        "crop_size": CROP,
        "cyclelab": {"prepare": rates(prepared), "read": rates(read)},
        "torchvision": {
            "version": answers["workers_0"][0]["torchvision"],
            "by_workers": theirs,
        },
    }


def ending(folder):
    return ".jpg" if folder.endswith("A") else ".png"


def ours(bench, images, cache, steps):
    settings = {"data.path": images, "data.load_size": LOAD, "data.crop_size": CROP}
    pairs = [word for leaf, value in settings.items() for word in ("--set", f"{leaf}={value}")]
    command = bench.ours("bench", "--loader", *pairs, "--steps", steps, "--cache", cache, "--json")
    (answer,) = bench.answers(command)
    return answer


def torchvision(bench, images, workers):
    options = ["--images", images, "--load", LOAD, "--crop", CROP, "--workers", workers]
    command = bench.pytorch("torch_loader.py", *options, "--threads", bench.threads)
    (answer,) = bench.answers(command)
    return answer


def rates(values):
    return {"median": median(values), "rounds": values}
