"""A connection to Ray: workers on this machine for one run, or an existing cluster."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from retrieval.errors import FixableError

INSTALL = "install it: pip install 'stipple[ray]'"
REACHED_WITHIN_S = 5.0
# A few batches of texts and vectors per worker are in flight, half a megabyte each. Ray's default is 30 % of the
# machine's memory; 75 MB is the least that it accepts.
LOCAL_OBJECTS_BYTES = 200_000_000

_LOOPBACK = ("127.0.0.1:", "localhost:", "[::1]:")


@dataclass(frozen=True, slots=True)
class Capacity:
    """The workers that a cluster has room for.

    Attributes:
        workers: Processes that embed at once.
        cpus_each: Cores, and so threads, of each.
        gpus_each: 1 where the cluster has GPUs; each worker then has one.
    """

    workers: int
    cpus_each: int = 1
    gpus_each: int = 0

    def __str__(self) -> str:
        workers = "1 worker" if self.workers == 1 else f"{self.workers:,} workers"
        return f"{workers} of {self.cpus_each} core{'s' * (self.cpus_each > 1)}{' and a GPU each' * self.gpus_each}"


@contextmanager
def connected(address: str = "", workers: int = 0, cpus_each: int = 1) -> Iterator[Capacity]:
    """A connection to Ray, for as long as the block lasts.

    Args:
        address: HOST:PORT of a cluster's head; "" starts Ray here, on loopback only, and stops it afterwards.
        workers: How many processes embed; 0: as many as cores, or GPUs, allow.
        cpus_each: Cores of each.

    Raises:
        FixableError: Ray is not installed, the address cannot be reached, or the cluster has no room for one worker.
    """
    with ExitStack() as stack:
        if address:
            _require_reachable(address)
        else:
            # Both are read when Ray is imported or started. Despite its name the first one makes every process of a
            # local Ray listen on 127.0.0.1 only, instead of on every address of the machine.
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
            os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        ray = imported()
        if address.startswith(_LOOPBACK):
            # Ray connects to the machine's own address instead, where a head on loopback only does not answer.
            _require_reachable(f"{ray.util.get_node_ip_address()}:{address.rpartition(':')[2]}")
        logging.getLogger("ray").setLevel(logging.ERROR)
        if address:
            _join(ray, address)
        else:
            # Logs, sockets, and objects that did not fit into memory: they hold posts, and go when the run ends.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stipple-ray-", ignore_cleanup_errors=True))
            _start(ray, Path(folder), (workers or os.cpu_count() or 1) * cpus_each)
        stack.callback(ray.shutdown)
        yield _capacity(ray.cluster_resources(), workers, cpus_each, address)


def require_installed() -> None:
    """
    Raises:
        FixableError: Ray is not installed.
    """
    if any(find_spec(name) is None for name in ("ray", "pandas", "pyarrow")):
        raise FixableError("--engine ray needs ray[data], which is not installed", INSTALL)


def imported() -> ModuleType:
    """The `ray` module, which takes a second to import.

    Raises:
        FixableError: It is not installed.
    """
    require_installed()
    import ray
    from ray._private import worker

    # Ray logs what happens to workers to standard output, where this command prints its result; the engine reports what
    # matters. There is no public switch: log_to_driver silences what workers print, not Ray's messages about them.
    worker._worker_logs_enabled = False
    module: ModuleType = ray
    return module


def _start(ray: ModuleType, folder: Path, cpus: int) -> None:
    ray.init(
        address="local", num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
        object_store_memory=LOCAL_OBJECTS_BYTES, _temp_dir=str(folder),
    )  # fmt: skip


def _join(ray: ModuleType, address: str) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise FixableError(
            f"the Ray cluster at {address} refuses the connection: {reason}",
            "use the cluster's version of Ray and Python and its token (RAY_AUTH_MODE=token, RAY_AUTH_TOKEN), and run "
            "Stipple on a machine of the cluster",
        ) from error


def _require_reachable(address: str) -> None:
    """Check that something listens there: Ray itself would retry for minutes."""
    host, _, port = address.rpartition(":")
    fix = "start it with `ray start --head`, which prints the address, and write it as HOST:PORT (often port 6379)"
    if not host or "/" in host or not port.isdecimal():
        raise FixableError(f"--address is {address!r}, which is not HOST:PORT", fix)
    try:
        socket.create_connection((host, int(port)), REACHED_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FixableError(f"no Ray cluster answers at {address}: {reason}", fix) from error


def _capacity(resources: dict[str, float], workers: int, cpus_each: int, address: str) -> Capacity:
    """
    Raises:
        FixableError: There is no room for one worker.
    """
    cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    if gpus and cpus >= cpus_each:
        return Capacity(min(workers or gpus, gpus), cpus_each, 1)
    room = cpus // cpus_each
    if not room or workers > room:
        place = f"the Ray cluster at {address}" if address else "Ray on this machine"
        raise FixableError(
            f"{place} has {cpus} cores, and {max(1, workers)} workers of {cpus_each} cores were asked for",
            "ask for fewer with --workers, or start more nodes with `ray start --address`",
        )
    return Capacity(workers or room, cpus_each)
