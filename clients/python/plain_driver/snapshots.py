"""The verbs of the contract: what becomes of records and trees, and in which order.

The order is what makes them safe. A tree without a record does not exist and is swept at the next
start. So a tree is made before its record, and a record is deleted before its tree; nothing has to
be undone after a crash, and an answer means that the record is on the disk.
"""

import logging
import sqlite3
import threading
from typing import Callable, Dict, Optional

from grpc import StatusCode

from .errors import Refused
from .records import ACTIVE, COMMITTED, VIEW, Record, Records
from .trees import Trees

# As many as the other drivers take, so that images can move between them.
MAX_LAYER_COUNT = 128
_MAX_NAME_BYTES = 4096
_MAX_LABEL_BYTES = 4096
_QUOTA_LABEL = "containerd.io/snapshot/max-size"


class Snapshots:
    """The snapshots of one directory."""

    def __init__(self, records: Records, trees: Trees):
        self.records = records
        self.trees = trees
        self._damaged = set()
        self._reclaiming = threading.Lock()
        self._recover()

    def create(
        self,
        kind: int,
        key: str,
        parent: str,
        labels: Dict[str, str],
        has_caller: Callable[[], bool],
    ) -> Record:
        """Prepare and View. `has_caller` tells whether somebody waits. Raises Refused, OSError."""
        check_name(key, "key")
        labels = check_labels(labels)
        if _QUOTA_LABEL in labels:
            raise Refused(
                StatusCode.FAILED_PRECONDITION, "this driver cannot limit the size of a snapshot"
            )
        found = self._find_parent(parent)
        self._refuse_taken(key)
        parent_id = found.id if found else None
        id = self.records.take_id()
        has_tree = kind == ACTIVE or parent_id is None
        try:
            if has_tree:
                self.trees.create(id, parent_id)
            with self.records.transaction():
                # Looked at again, because others may have worked while the tree was copied.
                self._refuse_taken(key)
                self._require_same_parent(parent, parent_id)
                # Who gave up may have asked for the removal, and heard that there is nothing.
                if not has_caller():
                    raise Refused(StatusCode.CANCELLED, "the caller has given up")
                self.records.insert(id, key, parent_id, kind, labels)
        except BaseException:
            self.trees.discard(id)
            threading.Thread(target=self.reclaim).start()
            # That the parent is gone meanwhile says more than that cp failed.
            self._require_same_parent(parent, parent_id)
            raise
        return self.find(key)

    def find(self, name: str) -> Record:
        """Raises Refused."""
        record = self.records.find(name)
        if record is None:
            raise Refused(StatusCode.NOT_FOUND, f'snapshot "{name}" does not exist')
        return record

    def mounted_tree(self, record: Record) -> str:
        """The directory that an active snapshot or a view shows. Raises Refused."""
        self._refuse_committed(record)
        is_shared = record.kind == VIEW and record.parent_id is not None
        id = record.parent_id if is_shared else record.id
        self._refuse_damaged(id, record.name)
        return self.trees.path(id)

    def commit(self, key: str, name: str, parent: str, labels: Dict[str, str]) -> None:
        """Raises Refused, OSError."""
        check_name(name, "name")
        labels = check_labels(labels)
        active = self._find_committable(key, name, parent)
        self.trees.persist(active.id)
        size, inodes = self.trees.usage(active.id)
        with self.records.transaction():
            if self._find_committable(key, name, parent).id != active.id:
                raise Refused(StatusCode.ABORTED, f'snapshot "{key}" was replaced meanwhile')
            self.records.commit(active.id, name, labels, size, inodes)

    def remove(self, name: str) -> None:
        """Raises Refused."""
        try:
            id = self._delete_record(name)
        except sqlite3.Error:
            # A full disk is why many a removal is asked for, so it must not prevent one.
            self.records.give_up_reserve()
            id = self._delete_record(name)
        self.trees.discard(id)
        threading.Thread(target=self.reclaim).start()

    def reclaim(self) -> None:
        """Deletes the trees of what was removed before the call."""
        with self._reclaiming:
            self.trees.reclaim()

    def update(self, name: str, labels: Dict[str, str], paths) -> Record:
        """Raises Refused."""
        check_name(name, "info.name")
        with self.records.transaction():
            record = self.find(name)
            merged = dict(record.labels) if paths else dict(labels)
            for path in paths:
                field, _, label = path.partition(".")
                if field != "labels":
                    text = f'field "{path}" of snapshot "{name}" cannot be changed'
                    raise Refused(StatusCode.INVALID_ARGUMENT, text)
                merged = {**merged, label: labels.get(label, "")} if label else dict(labels)
            self.records.set_labels(record.id, check_labels(merged))
        return self.find(name)

    def usage(self, name: str):
        """Bytes and inodes of a snapshot; of a committed one as at its commit. Raises Refused."""
        record = self.find(name)
        return (record.bytes, record.inodes) if record.kind == COMMITTED else self._measure(record)

    def disk_usage(self) -> Dict[str, int]:
        """Bytes by what they are for, and the number of snapshots."""
        committed = active = count = 0
        for record in self.records.all():
            count += 1
            if record.kind == COMMITTED:
                committed += record.bytes
            else:
                active += self._measure(record)[0]
        removing, metadata = self.trees.removing_usage(), self.trees.overhead()
        return {
            "total_bytes": committed + active + removing + metadata,
            "committed_bytes": committed,
            "active_bytes": active,
            "removing_bytes": removing,
            "metadata_bytes": metadata,
            "snapshot_count": count,
        }

    def _measure(self, record: Record):
        return self.trees.usage(record.id) if record.kind == ACTIVE else (0, 0)

    def _delete_record(self, name: str) -> int:
        with self.records.transaction():
            record = self.find(name)
            if self.records.has_children(record):
                text = f'snapshot "{name}" cannot be removed: others stand on it'
                raise Refused(StatusCode.FAILED_PRECONDITION, text)
            self.records.delete(record.id)
        return record.id

    def _find_parent(self, name: str) -> Optional[Record]:
        if not name:
            return None
        parent = self.records.find(name)
        if parent is None:
            raise Refused(StatusCode.NOT_FOUND, f'parent snapshot "{name}" does not exist')
        if parent.kind != COMMITTED:
            text = f'snapshot "{name}" cannot be a parent: it is not committed'
            raise Refused(StatusCode.INVALID_ARGUMENT, text)
        self._refuse_damaged(parent.id, name)
        if self.records.layers_of(parent) > MAX_LAYER_COUNT:
            text = f'snapshot "{name}" cannot be a parent: it has {MAX_LAYER_COUNT} below it'
            raise Refused(StatusCode.INVALID_ARGUMENT, text)
        return parent

    def _require_same_parent(self, name: str, expected_id: Optional[int]) -> None:
        found = self._find_parent(name)
        if (found.id if found else None) != expected_id:
            raise Refused(StatusCode.ABORTED, f'parent snapshot "{name}" was replaced meanwhile')

    def _find_committable(self, key: str, name: str, parent: str) -> Record:
        self._refuse_taken(name)
        record = self.find(key)
        self._refuse_committed(record)
        if record.kind == VIEW:
            text = f'snapshot "{key}" cannot be committed: it is a view'
            raise Refused(StatusCode.FAILED_PRECONDITION, text)
        if parent and parent != record.parent:
            # A tree is whole, so it would lack what a parent that is chosen now has.
            text = f'snapshot "{key}" cannot be committed on "{parent}": it was not made on it'
            code = StatusCode.INVALID_ARGUMENT if record.parent else StatusCode.FAILED_PRECONDITION
            raise Refused(code, text)
        return record

    def _refuse_taken(self, name: str) -> None:
        if self.records.find(name) is not None:
            raise Refused(StatusCode.ALREADY_EXISTS, f'snapshot "{name}" exists already')

    def _refuse_damaged(self, id: int, name: str) -> None:
        if id in self._damaged:
            text = f'snapshot "{name}" is damaged: its tree is missing'
            raise Refused(StatusCode.DATA_LOSS, text)

    def _refuse_committed(self, record: Record) -> None:
        if record.kind == COMMITTED:
            text = f'snapshot "{record.name}" is committed, not active'
            raise Refused(StatusCode.FAILED_PRECONDITION, text)

    def _recover(self) -> None:
        """Makes trees agree with records, after a crash too."""
        trees = set(self.trees.ids())
        known = set()
        for record in self.records.all():
            known.add(record.id)
            if record.id in trees or (record.kind == VIEW and record.parent_id is not None):
                continue
            # Trees are durable before their records, so this is damage from outside.
            logging.error("the tree of snapshot %r is missing", record.name)
            self._damaged.add(record.id)
        for id in trees - known:
            self.trees.discard(id)
        self.reclaim()


def check_name(name: str, field: str) -> None:
    """A key is an opaque text: slashes and blanks mean nothing and never reach a path."""
    size = len(name.encode())
    if size == 0:
        raise Refused(StatusCode.INVALID_ARGUMENT, f"{field} is empty")
    if size > _MAX_NAME_BYTES:
        text = f"{field} has {size} bytes, and at most {_MAX_NAME_BYTES} are allowed"
        raise Refused(StatusCode.INVALID_ARGUMENT, text)


def check_labels(labels: Dict[str, str]) -> Dict[str, str]:
    """Checks labels and drops those without a value, which is how a label is removed."""
    kept = {key: value for key, value in labels.items() if value}
    for key, value in kept.items():
        size = len(key.encode()) + len(value.encode())
        if not key or size > _MAX_LABEL_BYTES:
            text = f'label "{key[:64]}" has {size} bytes, and 1 to {_MAX_LABEL_BYTES} are allowed'
            raise Refused(StatusCode.INVALID_ARGUMENT, text)
    return kept
