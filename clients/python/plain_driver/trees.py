"""The trees of the snapshots, as plain directories. Nothing in here knows keys or gRPC.

    l/<id>           the tree of a snapshot
    s/<id>.<random>  a copy that is being made
    removing/        what is being deleted
"""

import ctypes
import errno
import fcntl
import os
import secrets
import shutil
import subprocess
import threading
from typing import List, Optional, Tuple

_LIBC = ctypes.CDLL(None, use_errno=True)
_COPY = [
    # cp dies with this process: nobody would look at what it goes on to write.
    *("/usr/bin/setpriv", "--pdeathsig", "KILL"),
    # Not --archive, which says nothing when attributes could not be kept.
    *("/usr/bin/cp", "--recursive", "--no-dereference", "--one-file-system"),
    *("--no-target-directory", "--preserve=mode,ownership,timestamps,links,xattr"),
    *("--sparse=always", "--"),
]
_COPY_SECONDS = 3600
# How cp words errors of the disk in the C locale.
_DISK_ERRORS = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "Input/output error": errno.EIO,
}


class Trees:
    """The directories below `root`, which this process has for itself."""

    def __init__(self, root: str):
        self.root = root
        self._copies = set()
        self._copies_lock = threading.Lock()
        self._closed = False
        self._layers, self._staging, self._removing = (
            os.path.join(root, name) for name in ("l", "s", "removing")
        )
        for path in (root, self._layers, self._staging, self._removing):
            os.makedirs(path, mode=0o700, exist_ok=True)
            os.chmod(path, 0o700)
        self._lock = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SystemExit(f"{root} is in use by another process") from error
        # What was being made when the last process ended is nobody's.
        for name in os.listdir(self._staging):
            self._set_aside(os.path.join(self._staging, name))

    def path(self, id: int) -> str:
        return os.path.join(self._layers, str(id))

    def ids(self) -> List[int]:
        """The ids that have a tree. What has the name of an id is whole."""
        return [int(name) for name in os.listdir(self._layers) if name.isdecimal()]

    def create(self, id: int, parent_id: Optional[int]) -> None:
        """Makes the tree of a snapshot, durably: empty, or a copy of its parent's.

        It is made elsewhere and gets its name in one step when it is on the disk, so that a crash
        at any time leaves no half of it. Raises OSError.
        """
        staged = os.path.join(self._staging, f"{id}.{secrets.token_hex(6)}")
        try:
            if parent_id is None:
                os.mkdir(staged)
                os.chmod(staged, 0o755)
            else:
                self._copy(self.path(parent_id), staged)
            _sync_filesystem(staged)
            self.discard(id)
            os.rename(staged, self.path(id))
            _sync_directory(self._layers)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise

    def persist(self, id: int) -> None:
        """Writes all that is in a tree to the disk."""
        _sync_filesystem(self.path(id))

    def discard(self, id: int) -> None:
        """Takes a tree out of sight, at once."""
        self._set_aside(self.path(id))

    def reclaim(self) -> None:
        """Deletes what was taken out of sight."""
        for name in os.listdir(self._removing):
            # rm walks by handles: a container can nest directories deeper than a path can say.
            subprocess.run(["/usr/bin/rm", "-rf", "--", os.path.join(self._removing, name)])

    def usage(self, id: int) -> Tuple[int, int]:
        """Bytes and inodes of a tree."""
        return measure(self.path(id))

    def removing_usage(self) -> int:
        """Bytes of what is being deleted."""
        return measure(self._removing)[0] - _bytes(os.lstat(self._removing))

    def overhead(self) -> int:
        """Bytes that belong to no snapshot."""
        own = sum(_bytes(os.lstat(path)) for path in (self.root, self._layers, self._removing))
        with os.scandir(self.root) as entries:
            files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
            own += sum(_bytes(entry.stat(follow_symlinks=False)) for entry in files)
        return own + measure(self._staging)[0]

    def close(self) -> None:
        """Ends copies that are being made. Whoever waits for one gets an OSError."""
        with self._copies_lock:
            self._closed = True
            for copy in self._copies:
                copy.kill()

    def _copy(self, source: str, target: str) -> None:
        with self._copies_lock:
            if self._closed:
                raise OSError(errno.ECANCELED, "the driver is stopping")
            copy = subprocess.Popen(
                [*_COPY, source, target],
                env={"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            self._copies.add(copy)
        try:
            said = copy.communicate(timeout=_COPY_SECONDS)[1]
        except subprocess.TimeoutExpired as error:
            copy.kill()
            copy.communicate()
            raise OSError(errno.ETIMEDOUT, f"cp took more than {_COPY_SECONDS} s") from error
        finally:
            with self._copies_lock:
                self._copies.discard(copy)
        if copy.returncode != 0:
            raise _copy_error(said)

    def _set_aside(self, path: str) -> None:
        name = f"{os.path.basename(path)}.{secrets.token_hex(6)}"
        try:
            os.rename(path, os.path.join(self._removing, name))
        except FileNotFoundError:
            pass


def measure(root: str) -> Tuple[int, int]:
    """Bytes of blocks and number of inodes of a directory and all in it; none for no directory."""
    try:
        top = os.lstat(root)
    except FileNotFoundError:
        return 0, 0
    total, inodes = _bytes(top), {top.st_ino}
    directories = [root]
    while directories:
        try:
            with os.scandir(directories.pop()) as entries:
                found = list(entries)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in found:
            try:
                info = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if info.st_dev != top.st_dev or info.st_ino in inodes:
                continue
            inodes.add(info.st_ino)
            total += _bytes(info)
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.path)
    return total, len(inodes)


def _bytes(info: os.stat_result) -> int:
    return info.st_blocks * 512


def _copy_error(said: str) -> OSError:
    first = said.split("\n", 1)[0]
    found = (number for words, number in _DISK_ERRORS.items() if first.endswith(words))
    return OSError(next(found, errno.EIO), first)


def _sync_filesystem(path: str) -> None:
    """syncfs(2), which Python has no name for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _LIBC.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)


def _sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
