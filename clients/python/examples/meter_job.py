"""Runs a program with limits and prints what it used: python3 meter_job.py IMAGE PROGRAM [ARGUMENT ...]

It gets a group of its own with half a processor, 64 MiB of memory and 100 tasks. While it runs, its figures are printed
each second; the last line is its record in the usage ledger, which is there also after the container is removed.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from teu_client import Engine, Meter, TeuError  # noqa: E402
from teu.type.v1 import resources_pb2  # noqa: E402

BUDGET = resources_pb2.LinuxResources(
    cpu=resources_pb2.LinuxCpu(quota=50_000, period=100_000),
    memory=resources_pb2.LinuxMemory(limit=64 << 20),
    pids=resources_pb2.LinuxPids(limit=100),
)


def seconds(duration) -> float:
    return duration.seconds + duration.nanos / 1e9


def watch(meter, group: str) -> None:
    """Prints figures until nothing runs in the group any more."""
    for sample in meter.stats(group=group):
        if not sample:
            return
        for entry in sample:
            used = seconds(entry.stats.cpu.usage_duration)
            memory = entry.stats.memory.usage_bytes
            print(f"running: cpu {used:.3f} s, memory {memory} bytes", file=sys.stderr)


def record_of(meter, container_id: str, since: int):
    """The record of a run of this container; waits until it is final."""
    for record in meter.final_records(since):
        if record.run.container_id == container_id:
            return record
    raise ConnectionError("the ledger ended its stream")


def run_metered(engine, meter, image: str, args) -> int:
    """Runs a program in a group of its own, and tells what it used."""
    group = f"job-{os.getpid()}"
    since = meter.next_sequence()
    meter.create_group(group, BUDGET)
    try:
        container = engine.start(image, args, group=group)
        watch(meter, group)
        end = engine.wait(container.id)
        engine.remove(container.id)
        usage = record_of(meter, container.id, since).usage
    finally:
        meter.delete_group(group)
    print(
        f"used: wall {seconds(usage.wall_duration):.3f} s,"
        f" cpu {seconds(usage.cpu_duration):.3f} s,"
        f" throttled {seconds(usage.throttled_duration):.3f} s,"
        f" memory {usage.memory_byte_seconds:.0f} byte-seconds,"
        f" peak {usage.memory_peak_bytes} bytes, killed {usage.oom_kill_count}"
    )
    return end.exit_code


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    image, *args = sys.argv[1:]
    try:
        with Engine() as engine, Meter() as meter:
            return run_metered(engine, meter, image, args)
    except TeuError as error:
        print(f"{error.reason}: {error}", file=sys.stderr)
        return 125


if __name__ == "__main__":
    sys.exit(main())
