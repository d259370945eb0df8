"""Serves the driver until SIGTERM or SIGINT.

Usage: /usr/bin/python3 clients/python/plain_driver --root DIRECTORY --address unix:/PATH.sock

Needs root, because layers hold files of any owner.
"""

import argparse
import logging
import os
import signal
import sys
from concurrent import futures

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[0] = os.path.dirname(_HERE)
sys.path.insert(1, os.path.join(os.path.dirname(_HERE), "gen"))

import grpc  # noqa: E402
from containerd.services.snapshots.v1.snapshots_pb2_grpc import (  # noqa: E402
    add_SnapshotsServicer_to_server,
)
from plain_driver.records import Records  # noqa: E402
from plain_driver.service import DriverService, SnapshotsService, health_handler  # noqa: E402
from plain_driver.snapshots import Snapshots  # noqa: E402
from plain_driver.trees import Trees  # noqa: E402
from teu.storage.v1.driver_service_pb2_grpc import (  # noqa: E402
    add_DriverServiceServicer_to_server,
)

# Calls that are served at a time. Most wait for a disk, and some must be left to say that it lives.
_WORKERS = 64
_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
# How long calls that are under way may take once the end has been asked for.
_GRACE_SECONDS = 10


def main() -> int:
    parser = argparse.ArgumentParser(description="A storage driver that keeps plain copies.")
    parser.add_argument("--root", required=True, help="directory of the driver; made if missing")
    parser.add_argument("--address", required=True, help="where to serve, unix:/PATH.sock")
    options = parser.parse_args()
    if not options.address.startswith("unix:/"):
        parser.error("--address is unix: and an absolute path")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Nothing that this process makes is for others; trees get their modes explicitly.
    os.umask(0o077)
    # Before there are threads, which inherit it: a signal that another one takes would not wake this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)

    trees = Trees(os.path.abspath(options.root))
    records = Records(os.path.join(trees.root, "records.db"))
    snapshots = Snapshots(records, trees)
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS))
    add_SnapshotsServicer_to_server(SnapshotsService(snapshots), server)
    add_DriverServiceServicer_to_server(DriverService(snapshots), server)
    server.add_generic_rpc_handlers((health_handler(),))
    server.add_insecure_port(options.address)
    os.chmod(options.address[len("unix:") :], 0o600)
    server.start()
    logging.info("serving at %s", options.address)
    signal.sigwait(_STOP_SIGNALS)
    server.stop(_GRACE_SECONDS).wait()
    trees.close()
    snapshots.reclaim()
    records.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
