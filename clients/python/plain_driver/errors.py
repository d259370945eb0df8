"""What a caller is told when something cannot be done."""

import errno
import sqlite3
from typing import Optional, Tuple

from grpc import StatusCode


class Refused(Exception):
    """A status of the contract, with a text that names the object and the cause."""

    def __init__(self, code: StatusCode, text: str):
        super().__init__(text)
        self.code = code


def status_of(error: Exception) -> Optional[Tuple[StatusCode, str]]:
    """The status and text of an error that a caller can do something about; None for a defect."""
    if isinstance(error, Refused):
        return error.code, str(error)
    if is_of_disk(error, (errno.ENOSPC, errno.EDQUOT), sqlite3.SQLITE_FULL):
        return StatusCode.RESOURCE_EXHAUSTED, "no space left on the disk; nothing was changed"
    if is_broken_disk(error):
        return StatusCode.INTERNAL, "the disk reports errors; see the log"
    if isinstance(error, OSError) and error.errno == errno.ECANCELED:
        return StatusCode.UNAVAILABLE, "the driver is stopping"
    return None


def is_broken_disk(error: BaseException) -> bool:
    """Whether the disk did not take or give what it had to."""
    return is_of_disk(error, (errno.EIO, errno.EROFS), sqlite3.SQLITE_IOERR)


def is_of_disk(error: BaseException, numbers: Tuple[int, ...], sqlite_code: int) -> bool:
    if isinstance(error, OSError):
        return error.errno in numbers
    # The low byte is the code, the others say more about it.
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite_code
