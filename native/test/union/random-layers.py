"""Fills two layers with random trees in AUFS' form. Usage: random-layers.py UPPER LOWER SEED COUNT

Makes `work 0` to `work COUNT-1` in each: files, directories, links, symbolic links, and whiteouts in UPPER.
"""

import os
import random
import sys

NAMES = ["a", "b", "c", "d.so", "e"]
DEPTH = 2


def fill(rng, directory, depth, whiteouts):
    os.mkdir(directory)
    files = []
    for name in NAMES:
        kind = rng.random()
        path = os.path.join(directory, name)
        if kind < 0.3 and depth < DEPTH:
            fill(rng, path, depth + 1, whiteouts)
        elif kind < 0.55:
            with open(path, "w") as file:
                file.write(f"{depth} {name} {rng.random()}")
            files.append(path)
        elif kind < 0.65 and files:
            os.link(rng.choice(files), path)
        elif kind < 0.7:
            os.symlink("target", path)
        elif kind < 0.85 and whiteouts:
            with open(os.path.join(directory, f".wh.{name}"), "w"):
                pass
    if whiteouts and depth > 0 and rng.random() < 0.1:
        with open(os.path.join(directory, ".wh..wh.opq"), "w"):
            pass


def main():
    upper, lower, seed, count = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5])
    os.umask(0)
    rng = random.Random(seed)
    for index in range(count):
        for layer in (lower, upper):
            fill(rng, os.path.join(layer, f"work {index}"), 0, layer == upper)


main()
