"""The pictures of the README: parts of the shipped experiments' reports, as a browser shows them."""

import argparse
import itertools
import pathlib
import subprocess
import sys
import tempfile

from browser import Browser

# CSS pixels of the window, and how many of the picture's there are to each: about as wide as a README is
# shown, so that words stay as large as they are.
WIDTH, SCALE = 1000, 2
MARGIN = 16
# Bytes of one picture.
MOST = 120_000

# File, sweep, what is to be seen, and how much of its height at most.
PICTURES = [
    ("answer", "lambda", ["header", "#answer"], 1000),
    ("forest", "lambda", ["#forest"], 600),
    ("curves", "lambda", ["#curves > h2", "#curves figure:has(#curve-0-3-t)"], 900),
    ("samples", "lambda", ["#samples"], 640),
]

# Where the first of each selector lies, all together: as far as words and drawings reach, since a
# block is as wide as the page whatever is in it.
BOUNDS = """((selectors) => {
  const boxes = selectors.flatMap((selector) => {
    const found = document.querySelector(selector);
    if (!found) throw new Error(`the report has no ${selector}`);
    const own = found.matches(".answer") ? [found.getBoundingClientRect()] : [];
    const drawings = [...found.querySelectorAll("svg, img, button")].map((it) => it.getBoundingClientRect());
    const walker = document.createTreeWalker(found, NodeFilter.SHOW_TEXT);
    const words = [];
    while (walker.nextNode()) {
      const { data, parentElement } = walker.currentNode;
      if (!data.trim() || parentElement.closest(".unseen") || !parentElement.checkVisibility()) continue;
      const range = document.createRange();
      range.selectNodeContents(walker.currentNode);
      words.push(...range.getClientRects());
    }
    return [...own, ...drawings, ...words].filter((it) => it.width && it.height && it.right <= innerWidth);
  });
  const [left, right] = [Math.min(...boxes.map((it) => it.left)), Math.max(...boxes.map((it) => it.right))];
  const [top, bottom] = [Math.min(...boxes.map((it) => it.top)), Math.max(...boxes.map((it) => it.bottom))];
  return { x: left + scrollX, y: top + scrollY, width: right - left, height: bottom - top };
})"""


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cyclelab", required=True, help="the built program")
    asked.add_argument("--runs", default="runs", help="where the experiments were trained")
    asked.add_argument("--browser", default="chromium")
    asked = asked.parse_args()
    out = pathlib.Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder, Browser(asked.browser) as browser:
        reports = {sweep: report(asked, sweep, folder) for sweep in dict.fromkeys(it[1] for it in PICTURES)}
        for name, sweep, selectors, height in PICTURES:
            browser.open(reports[sweep], WIDTH, 900, SCALE)
            picture = shoot(browser, selectors, height)
            (out / f"{name}.webp").write_bytes(picture)
            print(f"{out / name}.webp: {len(picture) // 1000} kB")


def report(asked, sweep, folder):
    if not (pathlib.Path(asked.runs) / sweep).is_dir():
        sys.exit(f"{asked.runs}/{sweep} is missing; to train it: just sweep experiments/{sweep}.toml")
    out = pathlib.Path(folder) / sweep
    command = [asked.cyclelab, "report", sweep, "--runs", asked.runs, "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out / "index.html"


def shoot(browser, selectors, height):
    bounds = browser.evaluate(f"{BOUNDS}({selectors})")
    clip = {
        "x": max(bounds["x"] - MARGIN, 0),
        "y": max(bounds["y"] - MARGIN, 0),
        "width": bounds["width"] + 2 * MARGIN,
        "height": min(bounds["height"], height) + 2 * MARGIN,
    }
    # Much text and photographs need more bytes than a drawing does. Fewer pixels are better than smeared ones.
    for share, quality in itertools.product((1, 0.75, 0.5), (90, 80, 70)):
        picture = browser.picture({**clip, "scale": share}, format="webp", quality=quality)
        if len(picture) <= MOST:
            return picture
    sys.exit(f"{selectors} take {len(picture)} bytes at the least")


if __name__ == "__main__":
    main()
