"""Changes the tree in the working directory at random: random-changes.py SEED COUNT."""

import os
import random
import shutil
import stat
import sys


def names():
    """All directories and all other names, sorted, so that a seed says what happens."""
    directories, others = ["."], []
    for top, below, files in os.walk("."):
        below.sort()
        for name in below:
            path = os.path.join(top, name)
            (others if os.path.islink(path) else directories).append(path)
        others.extend(os.path.join(top, name) for name in sorted(files))
    return directories, others


def change(dice):
    directories, others = names()
    place = os.path.join(dice.choice(directories), dice.choice("abcdefgh.-~") + str(dice.randrange(9)))
    victim = dice.choice(others) if others else None
    deed = dice.choice(
        ["file", "file", "dir", "link", "hard", "remove", "prune", "write", "mode", "owner", "time", "attribute", "move", "node"]
    )
    if deed in ("file", "dir", "link", "hard", "node") and os.path.lexists(place):
        return
    if deed == "file":
        with open(place, "wb") as file:
            file.write(dice.randbytes(dice.choice([0, 1, 4096, 70000])))
    elif deed == "dir":
        os.mkdir(place, dice.choice([0o755, 0o700, 0o1777]))
    elif deed == "link":
        os.symlink(dice.choice(["/", "..", "missing", "/etc/shadow"]), place)
    elif deed == "hard" and victim and not stat.S_ISDIR(os.lstat(victim).st_mode):
        os.link(victim, place, follow_symlinks=False)
    elif deed == "node":
        os.mkfifo(place)
    elif deed == "prune" and len(directories) > 4:
        shutil.rmtree(dice.choice(directories[1:]))
    elif victim is None:
        return
    elif deed == "remove":
        os.remove(victim)
    elif deed == "move":
        os.rename(victim, place) if not os.path.lexists(place) else None
    elif deed == "owner":
        os.chown(victim, dice.randrange(5), dice.randrange(5), follow_symlinks=False)
    elif deed == "time":
        os.utime(victim, ns=(0, dice.randrange(10**18)), follow_symlinks=False)
    elif not stat.S_ISREG(os.lstat(victim).st_mode):
        return
    elif deed == "write":
        with open(victim, "r+b") as file:
            file.write(b"w" + dice.randbytes(2))
    elif deed == "mode":
        os.chmod(victim, dice.choice([0o600, 0o644, 0o4755]))
    elif deed == "attribute":
        os.setxattr(victim, dice.choice(["user.a", "trusted.b"]), dice.randbytes(3))


def main():
    dice = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        change(dice)


main()
