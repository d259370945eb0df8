"""Errors of TEU as Python exceptions."""

import grpc
from google.rpc import error_details_pb2, status_pb2


class TeuError(Exception):
    """An error that a TEU service answered with.

    `reason` is a stable UPPER_SNAKE_CASE name to test for, `metadata` holds the dynamic parts of the
    message, `code` is the gRPC status code.
    """

    def __init__(self, message, reason, metadata, code):
        super().__init__(message)
        self.reason = reason
        self.metadata = metadata
        self.code = code


def from_rpc_error(error: grpc.RpcError) -> TeuError:
    """Reads google.rpc.Status with its ErrorInfo from the trailer grpc-status-details-bin."""
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                return TeuError(error.details(), info.reason, dict(info.metadata), error.code())
    return TeuError(error.details(), error.code().name, {}, error.code())
