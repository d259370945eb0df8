"""Containers through the engine's gRPC API."""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Tuple

from teu.engine.v1 import container_pb2, engine_service_pb2, engine_service_pb2_grpc
from teu.executor.v1 import executor_service_pb2

from .channel import Connection


@dataclass
class RunResult:
    """What a container left behind."""

    container_id: str
    exit_code: int
    oom_killed: bool
    stdout: bytes
    stderr: bytes


class Engine:
    """A connection to one engine.

    `address` is a gRPC target; by default the socket in $TEU_RUN_DIR. `timeout` is the deadline of
    short calls, in seconds.
    """

    def __init__(self, address: Optional[str] = None, timeout: float = 30.0):
        self._connection = Connection("engine", address, timeout)
        self._stub = engine_service_pb2_grpc.EngineServiceStub(self._connection.channel)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._connection.close()

    def run(self, image: str, args: List[str], timeout: float = 300.0, **spec) -> RunResult:
        """Runs a container to its end, collects its output, and removes it.

        Further keywords are fields of teu.engine.v1.ContainerSpec. Raises TeuError.
        """
        request = engine_service_pb2.RunAttachedRequest(
            run=engine_service_pb2.RunContainerRequest(
                spec=container_pb2.ContainerSpec(image=image, args=args, auto_remove=True, **spec)
            )
        )
        output = {
            executor_service_pb2.OUTPUT_STREAM_STDOUT: bytearray(),
            executor_service_pb2.OUTPUT_STREAM_STDERR: bytearray(),
        }
        container_id = ""
        answers = self._connection.stream(self._stub.RunAttached, iter([request]), timeout)
        for answer in answers:
            part = answer.WhichOneof("part")
            if part == "started":
                container_id = answer.started.id
            elif part == "record":
                output[answer.record.stream] += answer.record.data
            elif part == "exit":
                stdout, stderr = (bytes(data) for data in output.values())
                return RunResult(
                    container_id, answer.exit.exit_code, answer.exit.oom_killed, stdout, stderr
                )
        raise ConnectionError("the engine ended the stream before the container's exit")

    def start(self, image: str, args: List[str], **spec):
        """Starts a container and returns it without waiting. Raises TeuError."""
        return self._connection.call(
            self._stub.RunContainer,
            engine_service_pb2.RunContainerRequest(
                spec=container_pb2.ContainerSpec(image=image, args=args, **spec)
            ),
        ).container

    def wait(self, container: str, timeout: float = 300.0):
        """Waits until a container does not run, and gives its exit. Raises TeuError."""
        request = engine_service_pb2.WaitContainerRequest(container=container)
        return self._connection.call(self._stub.WaitContainer, request, timeout).exit

    def update(self, container: str, resources):
        """Changes limits (teu.type.v1.LinuxResources), at once if the container runs. Raises TeuError."""
        request = engine_service_pb2.UpdateContainerRequest(
            container=container, resources=resources
        )
        return self._connection.call(self._stub.UpdateContainer, request).container

    def pause(self, container: str):
        """Stops the processes of a container from running. Raises TeuError."""
        request = engine_service_pb2.PauseContainerRequest(container=container)
        return self._connection.call(self._stub.PauseContainer, request).container

    def unpause(self, container: str):
        """Lets a paused container go on. Raises TeuError."""
        request = engine_service_pb2.UnpauseContainerRequest(container=container)
        return self._connection.call(self._stub.UnpauseContainer, request).container

    def stop(self, container: str):
        """Stops a container. Raises TeuError."""
        request = engine_service_pb2.StopContainerRequest(container=container)
        return self._connection.call(self._stub.StopContainer, request).container

    def remove(self, container: str, force: bool = False) -> None:
        """Removes a container. Raises TeuError."""
        request = engine_service_pb2.RemoveContainerRequest(container=container, force=force)
        self._connection.call(self._stub.RemoveContainer, request)

    def containers(self, labels: Optional[Dict[str, str]] = None, all: bool = False) -> Iterator:
        """All containers, page by page. Raises TeuError."""
        request = engine_service_pb2.ListContainersRequest(all=all, labels=labels or {})
        yield from self._connection.pages(self._stub.ListContainers, request, "containers")

    def events(self, since: int, until_now: bool = True) -> Iterator[Tuple[int, object]]:
        """Numbered events from `since` on. Raises TeuError."""
        request = engine_service_pb2.WatchEventsRequest(from_sequence=since, until_now=until_now)
        for answer in self._connection.stream(self._stub.WatchEvents, request):
            if answer.HasField("event"):
                yield answer.sequence, answer.event
