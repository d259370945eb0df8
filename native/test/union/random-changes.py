"""Does the same random changes in several directories at once and in a plain copy of each, and compares
errors and trees. Usage: random-changes.py UNION PLAIN SEED COUNT PROCESSES

UNION is a union, PLAIN a plain directory, both with the same tree. Each process works in the directory
`work N`, which must exist in both. Prints differences; silence is success.
"""

import ctypes
import errno
import os
import random
import stat
import sys

NAMES = ["a", "b", "c", "d.so", "e"]
KINDS = ["file", "dir", "link", "fifo"]
LIBC = ctypes.CDLL(None, use_errno=True)
NOREPLACE, EXCHANGE = 1, 2
AT_FDCWD = -100
# What a union may refuse although a plain directory does not.
MERGED = "EXDEV"


def rename(source, target, flags):
    if LIBC.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def write(path, flags, data, offset=None):
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW, 0o644)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return
        os.write(handle, data) if offset is None else os.pwrite(handle, data, offset)
    finally:
        os.close(handle)


def read(path):
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        return os.read(handle, 1 << 20) if stat.S_ISREG(os.fstat(handle).st_mode) else ""
    finally:
        os.close(handle)


def choose(rng):
    """An operation: its name, two paths, and a number."""
    path = "/".join(rng.choice(NAMES) for _ in range(rng.randint(1, 3)))
    other = "/".join(rng.choice(NAMES) for _ in range(rng.randint(1, 3)))
    names = ["write", "append", "patch", "truncate", "unlink", "rmdir", "mkdir", "rename", "exchange"]
    names += ["noreplace", "link", "symlink", "fifo", "chmod", "utime", "xattr", "read", "list", "remove"]
    names += ["hold", "hold-write"]
    return rng.choice(names), path, other, rng.randint(0, 9999)


def remove(path):
    if stat.S_ISDIR(os.lstat(path).st_mode):
        for name in os.listdir(path):
            remove(os.path.join(path, name))
        os.rmdir(path)
    else:
        os.unlink(path)


def perform(root, operation, held):
    name, path, other, number = operation
    path, other = os.path.join(root, path), os.path.join(root, other)
    data = b"%d " % number * (number % 50 + 1)
    if name == "write":
        write(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, data)
    elif name == "append":
        write(path, os.O_APPEND | os.O_WRONLY, data)
    elif name == "patch":
        write(path, os.O_RDWR, data, number % 100)
    elif name == "truncate":
        if stat.S_ISREG(os.lstat(path).st_mode):
            os.truncate(path, number % 300)
    elif name == "unlink":
        os.unlink(path)
    elif name == "rmdir":
        os.rmdir(path)
    elif name == "mkdir":
        os.mkdir(path, 0o700 + number % 64)
    elif name in ("rename", "exchange", "noreplace"):
        rename(path, other, {"rename": 0, "exchange": EXCHANGE, "noreplace": NOREPLACE}[name])
    elif name == "link":
        os.link(path, other, follow_symlinks=False)
    elif name == "symlink":
        os.symlink(f"to {number}", path)
    elif name == "fifo":
        os.mkfifo(path)
    elif name == "chmod":
        if not stat.S_ISLNK(os.lstat(path).st_mode):
            os.chmod(path, number % 0o1000)
    elif name == "utime":
        os.utime(path, (number, number), follow_symlinks=False)
    elif name == "xattr":
        if stat.S_ISREG(os.lstat(path).st_mode):
            os.setxattr(path, "user.x", data)
    elif name == "read":
        return read(path)
    elif name == "list":
        return sorted(os.listdir(path))
    elif name == "remove":
        remove(path)
    elif name.startswith("hold"):
        # Keeps a file open, so that what is done to its name meets an open file.
        if stat.S_ISREG(os.lstat(path).st_mode):
            if len(held) > 8:
                os.close(held.pop(0))
            held.append(os.open(path, os.O_RDWR if name == "hold-write" else os.O_RDONLY))
    return None


def attempt(root, operation, held):
    try:
        return perform(root, operation, held)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


def listing(root):
    lines = {}
    first_names = {}

    def visit(path):
        shown = os.path.relpath(path, root)
        found = os.lstat(path)
        line = [stat.S_IFMT(found.st_mode), found.st_mode, found.st_uid, found.st_gid]
        if stat.S_ISREG(found.st_mode):
            # Not the number of names: a union counts those that are hidden too.
            line += [found.st_size, read(path), first_names.setdefault(found.st_ino, shown)]
            line += sorted((name, os.getxattr(path, name)) for name in os.listxattr(path))
        elif stat.S_ISLNK(found.st_mode):
            line += [os.readlink(path)]
        elif stat.S_ISDIR(found.st_mode):
            names = sorted(os.listdir(path))
            line += [names]
            for name in names:
                visit(os.path.join(path, name))
        lines[shown] = line

    visit(root)
    return lines


def compare(union, plain, history):
    left, right = listing(union), listing(plain)
    for path in sorted(left.keys() | right.keys()):
        if left.get(path) != right.get(path):
            print(f"{union}: {path}: {left.get(path)} instead of {right.get(path)}", history[-6:])
            return False
    return True


def work(union, plain, seed, count):
    rng = random.Random(seed)
    held, plain_held, history = [], [], []
    for step in range(count):
        operation = choose(rng)
        history.append(operation)
        got = attempt(union, operation, held)
        if got == MERGED:
            continue
        wanted = attempt(plain, operation, plain_held)
        if got != wanted:
            print(f"{union}: step {step} {operation}: {got!r} instead of {wanted!r}", history[-6:])
            return False
        if step % 50 == 49 and not compare(union, plain, history):
            return False
    for handle, other in zip(held, plain_held):
        if os.pread(handle, 1 << 20, 0) != os.pread(other, 1 << 20, 0):
            # A union shows who has a lower file open what it was before it was written to.
            continue
    return compare(union, plain, history)


def main():
    union, plain, seed, count, processes = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    os.umask(0)
    children = []
    for index in range(processes):
        child = os.fork()
        if child == 0:
            where = f"work {index}"
            good = work(os.path.join(union, where), os.path.join(plain, where), seed + index, count)
            sys.stdout.flush()
            os._exit(0 if good else 1)
        children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1] != 0]
    sys.exit(1 if failed else 0)


main()
