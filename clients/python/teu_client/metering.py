"""Limits and figures: groups, live statistics and the usage ledger, through the cgroup service."""

from typing import Dict, Iterator, List, Optional

from teu.cgroup.v1 import (
    cgroup_service_pb2,
    cgroup_service_pb2_grpc,
    group_service_pb2,
    group_service_pb2_grpc,
    usage_service_pb2,
    usage_service_pb2_grpc,
)
from teu.engine.v1 import engine_service_pb2, engine_service_pb2_grpc

from .channel import Connection
from .errors import TeuError

# A little longer than the engine waits, in seconds.
_SETTLE_TIMEOUT = 1.5


class Meter:
    """A connection to the cgroup service of one engine.

    `address` is a gRPC target, `engine_address` that of the engine, which knows whose end is not on record yet; by default
    the sockets in $TEU_RUN_DIR. `timeout` is the deadline of short calls, in seconds.
    """

    def __init__(
        self,
        address: Optional[str] = None,
        timeout: float = 30.0,
        engine_address: Optional[str] = None,
    ):
        self._connection = Connection("cgroup", address, timeout)
        self._engine_connection = Connection("engine", engine_address, timeout)
        self._engine = engine_service_pb2_grpc.EngineServiceStub(self._engine_connection.channel)
        channel = self._connection.channel
        self._cgroups = cgroup_service_pb2_grpc.CgroupServiceStub(channel)
        self._groups = group_service_pb2_grpc.GroupServiceStub(channel)
        self._usage = usage_service_pb2_grpc.UsageServiceStub(channel)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._connection.close()
        self._engine_connection.close()

    def create_group(self, name: str, resources=None, labels: Optional[Dict[str, str]] = None):
        """Makes a group of containers; `resources` is a teu.type.v1.LinuxResources. Raises TeuError."""
        request = group_service_pb2.CreateGroupRequest(
            name=name, resources=resources, labels=labels or {}
        )
        return self._connection.call(self._groups.CreateGroup, request).group

    def delete_group(self, name: str, recursive: bool = False) -> None:
        """Removes a group that nothing is in. Raises TeuError."""
        request = group_service_pb2.DeleteGroupRequest(name=name, recursive=recursive)
        self._connection.call(self._groups.DeleteGroup, request)

    def stats(
        self, ids: Optional[List[str]] = None, group: str = "", samples: int = 0
    ) -> Iterator[List[object]]:
        """Figures of containers, a list of teu.cgroup.v1.StatsEntry each second. Raises TeuError.

        Without `ids` of all, or of those in `group`; ends after so many `samples`, with 0 never.
        """
        request = cgroup_service_pb2.WatchStatsRequest(
            ids=ids or [], group=group, sample_count=samples
        )
        sample = []
        for answer in self._connection.stream(self._cgroups.WatchStats, request):
            sample.extend(answer.entries)
            if answer.complete:
                yield sample
                sample = []

    def usage(self, **conditions) -> Iterator[object]:
        """Records of what runs of containers have used, oldest first, also of removed ones. Raises TeuError.

        Keywords are fields of teu.cgroup.v1.UsageFilter. What ended before the call is there, unless the engine does not
        answer within a second or so.
        """
        self._settle()
        request = usage_service_pb2.ListUsageRequest(
            filter=usage_service_pb2.UsageFilter(**conditions)
        )
        yield from self._connection.pages(self._usage.ListUsage, request, "records")

    def next_sequence(self) -> int:
        """Number that the next final record will have. Raises TeuError."""
        request = usage_service_pb2.WatchUsageRequest(from_sequence=0, until_now=True)
        for answer in self._connection.stream(self._usage.WatchUsage, request):
            return answer.next_sequence
        raise ConnectionError("the cgroup service ended the stream before its first message")

    def final_records(self, from_sequence: int) -> Iterator[object]:
        """Records of runs that have ended, by their numbers, for ever. Raises TeuError."""
        request = usage_service_pb2.WatchUsageRequest(from_sequence=from_sequence)
        for answer in self._connection.stream(self._usage.WatchUsage, request):
            if answer.HasField("record"):
                yield answer.record

    def _settle(self) -> None:
        """Without the engine the ledger has what it has."""
        request = engine_service_pb2.SettleUsageRequest()
        try:
            self._engine_connection.call(
                self._engine.SettleUsage, request, timeout=_SETTLE_TIMEOUT
            )
        except TeuError:
            pass
