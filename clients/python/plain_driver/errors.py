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
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, sqlite3.Error):
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    if full:
        return StatusCode.RESOURCE_EXHAUSTED, "no space left on the disk; nothing was changed"
    return None
