"""Several machines: every task of the list is a task of a Ray cluster, with one GPU, or one core where there are none.

All machines see the same working folder and the same Python, under the same paths. A task is started again when its
machine dies, and resumes there from its last checkpoint; when the step itself fails, the run ends as it does on one
machine. Source: Ray, Fault tolerance of tasks (docs.ray.io/en/latest/ray-core/fault_tolerance/tasks.html).
"""

import os
import subprocess
from functools import partial
from pathlib import Path

from miga.engine.machine import Running, command_of
from miga.engine.steps import Task
from miga.errors import InputError
from miga.process import end_with_parent

RESTARTS = 20  # of one task, over machines that die under it


class Cluster:
    """A Ray cluster that is up: `ray start --head` and `ray start --address HEAD` on each machine.

    Raises:
        InputError: no cluster answers at the address.
    """

    def __init__(self, address: str):
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before the import: Ray reports its use by default
        try:
            import ray
        except ImportError as error:
            raise InputError("--ray: Ray is not installed; pip install -r requirements-cluster.txt") from error
        self._ray = ray
        try:
            ray.init(address=address, ignore_reinit_error=True, log_to_driver=False)
        except (ConnectionError, ValueError) as error:
            raise InputError(
                f"--ray {address}: no cluster answers there ({error}); start one with ray start"
            ) from error
        resources = ray.cluster_resources()
        self.has_gpus = resources.get("GPU", 0) > 0
        self.num_places = max(1, int(resources.get("GPU" if self.has_gpus else "CPU", 1)))
        self._num_running = 0
        # Repeated when a machine dies under it; what the step itself says, an exit code, ends the run.
        self._work = ray.remote(max_retries=RESTARTS, retry_exceptions=False)(run_in_folder)

    def start(self, task: Task, arguments: tuple[str, ...], log: Path) -> Running | None:
        if self._num_running >= self.num_places:  # what waits in Ray's own queue would lose its place in ours
            return None
        self._num_running += 1
        wants_gpu = self.has_gpus and task.step.wants_gpu
        remote = self._work.options(name=task.name, num_cpus=1, num_gpus=1 if wants_gpu else 0)
        return _Remote(self._ray, remote.remote(command_of(task, arguments), os.getcwd(), str(log)))

    def free(self, task: Task) -> None:
        self._num_running -= 1


def run_in_folder(command: list[str], folder: str, log: str) -> int:
    """Run the command in the shared folder; its exit code. The process ends with the worker that started it."""
    with open(Path(folder, log), "ab") as file:
        return subprocess.run(
            command, cwd=folder, stdout=file, stderr=file, preexec_fn=partial(end_with_parent, os.getpid())
        ).returncode


class _Remote:
    """A task of the cluster; `ray` is the library, which is loaded only where it is used."""

    def __init__(self, ray, reference):
        self._ray, self._reference = ray, reference

    def poll(self) -> int | None:
        done, _ = self._ray.wait([self._reference], timeout=0)
        return self._ray.get(done[0]) if done else None

    def stop(self) -> None:
        self._ray.cancel(self._reference, force=True)
