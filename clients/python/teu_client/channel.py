"""What the connections to all services have in common."""

import os
from typing import Optional

import grpc

from .errors import from_rpc_error


class Connection:
    """A connection to one service.

    `service` names its socket in $TEU_RUN_DIR; `address` is a gRPC target instead of that. `timeout` is the
    deadline of short calls, in seconds.
    """

    def __init__(self, service: str, address: Optional[str], timeout: float):
        run_dir = os.environ.get("TEU_RUN_DIR", "/run/teu")
        self.channel = grpc.insecure_channel(
            address or f"unix:{run_dir}/{service}.sock",
            options=[("grpc.default_authority", "localhost")],
        )
        self._timeout = timeout

    def close(self) -> None:
        self.channel.close()

    def call(self, method, request, timeout: Optional[float] = None):
        """One request, one answer. Raises TeuError."""
        try:
            return method(request, timeout=timeout or self._timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error

    def stream(self, method, request, timeout: Optional[float] = None):
        """One request, many answers. Raises TeuError."""
        try:
            yield from method(request, timeout=timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error

    def pages(self, method, request, entries: str):
        """All entries of a list, page by page. Raises TeuError."""
        while True:
            answer = self.call(method, request)
            yield from getattr(answer, entries)
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token
