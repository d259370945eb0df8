"""The two gRPC services: from messages to verbs and back."""

import functools
import inspect
import logging
import os
from datetime import datetime, timezone

import grpc
from containerd.services.snapshots.v1 import snapshots_pb2 as pb
from containerd.services.snapshots.v1.snapshots_pb2_grpc import SnapshotsServicer
from containerd.types.mount_pb2 import Mount
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp
from teu.storage.v1 import driver_service_pb2 as driver_pb
from teu.storage.v1.driver_service_pb2_grpc import DriverServiceServicer

from .errors import Refused, status_of
from .filters import parse_filters
from .records import ACTIVE, VIEW, Record
from .snapshots import MAX_LAYER_COUNT, Snapshots

NAME, VERSION = "plain", "0.1.0"
# Snapshots in one message of List: a message may have 4 MiB, and labels count.
_CHUNK = 100


def answers_errors(method):
    """Has a method of a servicer answer exceptions with statuses of the contract."""

    def answer(error: Exception, context) -> None:
        status = status_of(error)
        if status is None:
            logging.error("%s failed", method.__name__, exc_info=error)
            status = grpc.StatusCode.INTERNAL, f"{method.__name__} failed: a defect, see the log"
        context.abort(*status)

    @functools.wraps(method)
    def unary(self, request, context):
        try:
            return method(self, request, context)
        except Exception as error:
            answer(error, context)

    @functools.wraps(method)
    def stream(self, request, context):
        try:
            yield from method(self, request, context)
        except Exception as error:
            answer(error, context)

    return stream if inspect.isgeneratorfunction(method) else unary


class SnapshotsService(SnapshotsServicer):
    """containerd.services.snapshots.v1.Snapshots"""

    def __init__(self, snapshots: Snapshots):
        self._snapshots = snapshots

    @answers_errors
    def Prepare(self, request, context):
        return pb.PrepareSnapshotResponse(mounts=self._create(ACTIVE, request, context))

    @answers_errors
    def View(self, request, context):
        return pb.ViewSnapshotResponse(mounts=self._create(VIEW, request, context))

    @answers_errors
    def Mounts(self, request, context):
        return pb.MountsResponse(mounts=self._mounts(self._snapshots.find(request.key)))

    @answers_errors
    def Commit(self, request, context):
        labels = dict(request.labels)
        self._snapshots.commit(request.key, request.name, request.parent, labels)
        return Empty()

    @answers_errors
    def Remove(self, request, context):
        self._snapshots.remove(request.key)
        return Empty()

    @answers_errors
    def Stat(self, request, context):
        return pb.StatSnapshotResponse(info=_info(self._snapshots.find(request.key)))

    @answers_errors
    def Update(self, request, context):
        labels, paths = dict(request.info.labels), list(request.update_mask.paths)
        record = self._snapshots.update(request.info.name, labels, paths)
        return pb.UpdateSnapshotResponse(info=_info(record))

    @answers_errors
    def List(self, request, context):
        wanted = parse_filters(request.filters)
        chunk = []
        for record in self._snapshots.records.all():
            if wanted(record):
                chunk.append(_info(record))
            if len(chunk) == _CHUNK:
                yield pb.ListSnapshotsResponse(info=chunk)
                chunk = []
        if chunk:
            yield pb.ListSnapshotsResponse(info=chunk)

    @answers_errors
    def Usage(self, request, context):
        size, inodes = self._snapshots.usage(request.key)
        return pb.UsageResponse(size=size, inodes=inodes)

    @answers_errors
    def Cleanup(self, request, context):
        self._snapshots.reclaim()
        return Empty()

    def _create(self, kind, request, context):
        wanted = kind, request.key, request.parent, dict(request.labels)
        return self._mounts(self._snapshots.create(*wanted, context.is_active))

    def _mounts(self, record: Record):
        options = ["rbind", "rw" if record.kind == ACTIVE else "ro"]
        source = self._snapshots.mounted_tree(record)
        return [Mount(type="bind", source=source, options=options)]


class DriverService(DriverServiceServicer):
    """teu.storage.v1.DriverService, without what is optional: quota, other parents, check and repair."""

    def __init__(self, snapshots: Snapshots):
        self._snapshots = snapshots
        self._started = Timestamp()
        self._started.FromDatetime(datetime.now(timezone.utc))

    @answers_errors
    def GetDriver(self, request, context):
        return driver_pb.GetDriverResponse(
            driver=driver_pb.Driver(
                name=NAME,
                version=VERSION,
                # Every snapshot is a whole tree: links stay links, and nothing is shared.
                capabilities=[
                    driver_pb.CAPABILITY_XATTRS,
                    driver_pb.CAPABILITY_EXACT_ATTRIBUTES,
                    driver_pb.CAPABILITY_ALL_NAMES,
                    driver_pb.CAPABILITY_HARD_LINKS_ACROSS_LAYERS,
                ],
                backing_filesystem=_filesystem_of(self._snapshots.trees.root),
                max_layer_count=MAX_LAYER_COUNT,
                start_time=self._started,
            )
        )

    @answers_errors
    def GetDiskUsage(self, request, context):
        disk = os.statvfs(self._snapshots.trees.root)
        return driver_pb.GetDiskUsageResponse(
            **self._snapshots.disk_usage(), available_bytes=disk.f_bavail * disk.f_frsize
        )

    @answers_errors
    def SetQuota(self, request, context):
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, "this driver cannot limit a snapshot")

    GetQuota = SetQuota

    @answers_errors
    def SetParent(self, request, context):
        text = "this driver cannot put a snapshot on another parent"
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, text)

    @answers_errors
    def ReplaceSnapshot(self, request, context):
        text = "this driver cannot put a snapshot in the place of a committed one"
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, text)

    @answers_errors
    def MergeIntoParent(self, request, context):
        text = "this driver cannot change a committed snapshot in place"
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, text)


def health_handler() -> grpc.GenericRpcHandler:
    """grpc.health.v1.Health: always SERVING while the process answers.

    By hand, because Debian has no package of it: the answer is the message {status: SERVING}.
    """
    serving = grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01")
    return grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": serving})


def _info(record: Record):
    created, updated = Timestamp(), Timestamp()
    created.FromNanoseconds(record.created_ns)
    updated.FromNanoseconds(record.updated_ns)
    return pb.Info(
        name=record.name,
        parent=record.parent,
        kind=record.kind,
        created_at=created,
        updated_at=updated,
        labels=record.labels,
    )


def _filesystem_of(path: str) -> str:
    """Type of the file system that holds a path, by the longest mount point above it."""
    best, kind = "", ""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            before, _, after = line.partition(" - ")
            point = before.split(" ")[4].encode().decode("unicode_escape")
            if len(point) >= len(best) and (path + "/").startswith(point.rstrip("/") + "/"):
                best, kind = point, after.split(" ")[0]
    return kind
