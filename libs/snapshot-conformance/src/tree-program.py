"""Works on directory trees for the suite: what Node cannot do or would round (extended attributes,
nodes, nanoseconds, names that are no UTF-8), and a listing to compare trees by.

One JSON request per line, one JSON answer per line. Paths are relative to the root of a request;
bytes that are no UTF-8 stand as lone surrogates (os.fsencode).
"""

import ctypes
import errno
import hashlib
import json
import mmap
import os
import random
import signal
import stat
import subprocess
import sys

KINDS = ("user.", "trusted.", "security.", "system.posix_acl_")
# Given by the host's policy, not by whoever wrote the file.
IGNORED = ("security.selinux",)
NODES = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK, "char": stat.S_IFCHR, "block": stat.S_IFBLK}
TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
}


def noise(seed, size):
    """The same bytes for the same seed, and none that a file system could compress away."""
    return random.Random(seed).randbytes(size)


def write_at(path, flags, offset, data):
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o644)
    try:
        if offset is None:
            os.write(handle, data)
        else:
            os.pwrite(handle, data, offset)
    finally:
        os.close(handle)


def content_of(operation):
    if "text" in operation:
        return operation["text"].encode()
    return noise(operation["seed"], operation["size"])


def remove_tree(path):
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.unlink(path)
        return
    for name in os.listdir(path):
        remove_tree(os.path.join(path, name))
    os.rmdir(path)


def copy_modes(source, target):
    """What cp(1) leaves on a directory that inherits set-group-ID (coreutils 9.1)."""
    found = os.lstat(source)
    if not stat.S_ISDIR(found.st_mode):
        return
    os.chmod(target, stat.S_IMODE(found.st_mode))
    for name in os.listdir(source):
        copy_modes(os.path.join(source, name), os.path.join(target, name))


def rename(source, target):
    """As mv(1) does: a file system may refuse to rename a directory, and then it is copied."""
    try:
        os.rename(source, target)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    if os.path.lexists(target):
        remove_tree(target)
    command = ["cp", "-a", "--no-target-directory", "--", source, target]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    copy_modes(source, target)
    remove_tree(source)


def fill(path, operation):
    """Writes until it is refused, each piece to the disk. Tells how far it came and why it ended."""
    written = 0
    piece = os.urandom(256 << 10)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        while written < operation["size"]:
            written += os.write(handle, piece[: operation["size"] - written])
            os.fsync(handle)
    except OSError as error:
        return {"written": written, "error": errno.errorcode.get(error.errno, str(error.errno))}
    finally:
        os.close(handle)
    return {"written": written, "error": ""}


def resident(path):
    """Bytes of a file that are in the page cache."""
    size = os.path.getsize(path)
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), size, mmap.MAP_PRIVATE) as mapped:
        pages = (ctypes.c_ubyte * ((size + mmap.PAGESIZE - 1) // mmap.PAGESIZE))()
        view = (ctypes.c_char * 1).from_buffer(mapped)
        try:
            address = ctypes.c_void_p(ctypes.addressof(view))
            if libc.mincore(address, ctypes.c_size_t(size), pages) != 0:
                raise OSError(ctypes.get_errno(), "mincore")
        finally:
            del view
    return sum(page & 1 for page in pages) * mmap.PAGESIZE


def perform(root, operation):
    """Carries out one operation; gives what it has to tell, mostly nothing."""
    do = operation["do"]
    path = os.path.join(root, os.fsencode(operation["path"])) if operation["path"] else root
    if do == "write":
        write_at(path, os.O_CREAT | os.O_TRUNC, None, content_of(operation))
    elif do == "append":
        write_at(path, os.O_APPEND, None, content_of(operation))
    elif do == "patch":
        write_at(path, 0, operation["offset"], content_of(operation))
    elif do == "truncate":
        os.truncate(path, operation["size"])
    elif do == "unlink":
        os.unlink(path)
    elif do == "remove":
        remove_tree(path)
    elif do == "mkdir":
        os.mkdir(path, 0o755)
        os.chmod(path, operation["mode"])
    elif do == "rename":
        rename(path, os.path.join(root, os.fsencode(operation["to"])))
    elif do == "link":
        os.link(path, os.path.join(root, os.fsencode(operation["to"])), follow_symlinks=False)
    elif do == "symlink":
        os.symlink(os.fsencode(operation["target"]), path)
    elif do == "chmod":
        os.chmod(path, operation["mode"])
    elif do == "chown":
        os.chown(path, operation["uid"], operation["gid"], follow_symlinks=False)
    elif do == "utime":
        time = int(operation["time"])
        os.utime(path, ns=(time, time), follow_symlinks=False)
    elif do == "set-xattr":
        value = bytes.fromhex(operation["value"])
        os.setxattr(path, operation["name"], value, follow_symlinks=False)
    elif do == "remove-xattr":
        os.removexattr(path, operation["name"], follow_symlinks=False)
    elif do == "node":
        device = os.makedev(operation.get("major", 0), operation.get("minor", 0))
        os.mknod(path, NODES[operation["type"]] | operation["mode"], device)
    elif do == "fill":
        return fill(path, operation)
    elif do == "resident":
        return resident(path)
    elif do == "read":
        with open(path, "rb") as file:
            file.read()
    else:
        raise ValueError(do)
    return None


def attributes_of(path):
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EPERM):
            return {}
        raise
    kept = sorted(name for name in names if name.startswith(KINDS) and name not in IGNORED)
    return {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in kept}


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(path, shown, with_attributes, first_names):
    found = os.lstat(path)
    kind = TYPES[stat.S_IFMT(found.st_mode)]
    line = {
        "path": shown,
        "type": kind,
        "mode": oct(stat.S_IMODE(found.st_mode)),
        "owner": f"{found.st_uid}:{found.st_gid}",
    }
    if kind == "file":
        line.update(size=found.st_size, mtime=str(found.st_mtime_ns), data=digest_of(path))
    elif kind == "symlink":
        line["target"] = os.fsdecode(os.readlink(path))
    elif kind in ("char", "block"):
        line["device"] = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    if kind != "directory":
        first = first_names.setdefault((found.st_dev, found.st_ino), shown)
        if first != shown:
            line["link"] = first
    if with_attributes:
        line["xattrs"] = attributes_of(path)
    return line


def listing(root, with_attributes):
    """Every entry in the order of its path, without what a copy may change: times of directories."""
    first_names = {}
    lines = []

    def visit(path, shown):
        lines.append(describe(path, os.fsdecode(shown), with_attributes, first_names))
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            return
        for name in sorted(os.listdir(path)):
            visit(os.path.join(path, name), os.path.join(shown, name))

    visit(root, b"")
    return lines


def run(command):
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    return {"code": done.returncode, "stderr": done.stderr.decode(errors="replace")}


def answer(request):
    if "command" in request:
        return {"ended": run(request["command"])}
    root = os.fsencode(request["root"])
    if "list" in request:
        return {"lines": listing(root, request["list"]["xattrs"])}
    told = []
    for operation in request["operations"]:
        try:
            told.append(perform(root, operation))
        except OSError as error:
            name = errno.errorcode.get(error.errno, str(error.errno))
            return {"error": {"code": name, "operation": operation}}
        except subprocess.SubprocessError as error:
            return {"error": {"code": f"{error}", "operation": operation}}
    return {"told": told}


# Whoever interrupts the suite means the suite, which ends this program when it has cleaned up.
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.umask(0)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
