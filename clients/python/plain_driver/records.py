"""The records of the driver, in SQLite: what is not in here does not exist."""

import contextlib
import json
import os
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional

from .errors import is_broken_disk

VIEW, ACTIVE, COMMITTED = 1, 2, 3

# AUTOINCREMENT because an id names a tree: it must not come back while that is being deleted.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshots (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT    NOT NULL UNIQUE,
  parent     INTEGER REFERENCES snapshots (id),
  kind       INTEGER NOT NULL,
  labels     TEXT    NOT NULL,
  created_ns INTEGER NOT NULL,
  updated_ns INTEGER NOT NULL,
  bytes      INTEGER NOT NULL DEFAULT 0,
  inodes     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS snapshots_by_parent ON snapshots (parent);
"""
_SELECT = """
SELECT s.id, s.name, s.parent, coalesce(p.name, ''), s.kind, s.labels, s.created_ns, s.updated_ns,
  s.bytes, s.inodes FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent
"""
_PAGE = 100
# Given up on a full disk, so that there is room for the record of a removal.
_RESERVE_BYTES = 1 << 20


@dataclass
class Record:
    """One snapshot. `name` is the key of an active one or view, the name of a committed one."""

    id: int
    name: str
    parent_id: Optional[int]
    parent: str
    kind: int
    labels: Dict[str, str]
    created_ns: int
    updated_ns: int
    bytes: int
    inodes: int


class Records:
    """The table of snapshots. One connection, used by one thread at a time."""

    def __init__(self, path: str):
        self._lock = threading.RLock()
        self._failure: Optional[BaseException] = None
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # A transaction that was acknowledged is on the disk. With less, a power cut can undo it.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)
        row = self._database.execute("SELECT seq FROM sqlite_sequence").fetchone()
        self._last_id = row[0] if row else 0
        self._reserve = f"{path}.reserve"
        self._make_reserve()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Makes what is done within happen as a whole, durably, or not at all."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield
                self._database.execute("COMMIT")
            except BaseException as error:
                # A disk tells of a lost write once. That the next one succeeds proves nothing, so
                # nothing is promised any more until a start afresh finds out what is there.
                if is_broken_disk(error):
                    self._failure = error
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def take_id(self) -> int:
        """An id that no snapshot has or had."""
        with self._lock:
            self._last_id += 1
            return self._last_id

    def find(self, name: str) -> Optional[Record]:
        found = self._select("WHERE s.name = ?", name)
        return found[0] if found else None

    def all(self) -> Iterator[Record]:
        """All snapshots by id, some at a time, so that others get a turn."""
        last = 0
        while page := self._select("WHERE s.id > ? ORDER BY s.id LIMIT ?", last, _PAGE):
            yield from page
            last = page[-1].id

    def layers_of(self, record: Record) -> int:
        """How many trees a snapshot is made of, with its own."""
        count = 1
        parent = record.parent_id
        while parent is not None:
            count += 1
            parent = self._select("WHERE s.id = ?", parent)[0].parent_id
        return count

    def has_children(self, record: Record) -> bool:
        return bool(self._select("WHERE s.parent = ? LIMIT 1", record.id))

    def insert(self, id: int, name: str, parent_id: Optional[int], kind: int, labels) -> None:
        now = time.time_ns()
        self._execute(
            "INSERT INTO snapshots (id, name, parent, kind, labels, created_ns, updated_ns)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(id, name, parent_id, kind, json.dumps(labels), now, now),
        )

    def commit(self, id: int, name: str, labels, bytes: int, inodes: int) -> None:
        now = time.time_ns()
        self._execute(
            "UPDATE snapshots SET name = ?, kind = ?, labels = ?, created_ns = ?, updated_ns = ?,"
            " bytes = ?, inodes = ? WHERE id = ?",
            *(name, COMMITTED, json.dumps(labels), now, now, bytes, inodes, id),
        )

    def set_labels(self, id: int, labels) -> None:
        values = json.dumps(labels), time.time_ns(), id
        self._execute("UPDATE snapshots SET labels = ?, updated_ns = ? WHERE id = ?", *values)

    def delete(self, id: int) -> None:
        self._execute("DELETE FROM snapshots WHERE id = ?", id)

    def give_up_reserve(self) -> None:
        """Makes room on a full disk. The next start takes it back."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._reserve)

    def _make_reserve(self) -> None:
        descriptor = os.open(self._reserve, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _RESERVE_BYTES)
        except OSError:
            self.give_up_reserve()  # The disk is full: there is nothing to take.
        finally:
            os.close(descriptor)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _execute(self, sql: str, *values) -> None:
        with self._lock:
            self._database.execute(sql, values)

    def _select(self, condition: str, *values) -> List[Record]:
        with self._lock:
            rows = self._database.execute(_SELECT + condition, values).fetchall()
        return [Record(*row[:5], json.loads(row[5]), *row[6:]) for row in rows]
