"""The list on a real Ray cluster of two nodes on this machine: python -m pytest -n 0 -m cluster tests/miga/engine"""

import hashlib
from pathlib import Path

import pytest

from miga.engine.run import Runner, TaskFailedError
from miga.engine.steps import Plan, Step
from tests.miga.engine.lists import small_list

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def nodes(monkeypatch):
    """A head that runs nothing and two nodes of one core each; yields the cluster and the two nodes."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytest.importorskip("ray", reason="requirements-cluster.txt is not installed")
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    two = [cluster.add_node(num_cpus=1) for _ in range(2)]
    yield cluster, two
    ray.shutdown()
    cluster.shutdown()


def runner(cluster, steps: list[Step]) -> Runner:
    from miga.engine.cluster import Cluster

    plan = Plan(steps)
    return Runner("r", plan, {task.name for task in plan.tasks}, Cluster(cluster.address))


def test_the_list_runs_and_a_failing_step_is_not_repeated(nodes, workdir):
    cluster, _ = nodes
    runner(cluster, small_list())()
    assert Path("blend.txt").read_text() == "blend\n"
    with pytest.raises(TaskFailedError, match="this step was asked to fail"):
        runner(cluster, small_list(detector="fail"))()
    assert Path("report/r/log/detector.txt").read_text().count("was called") == 1


def test_a_node_dies_in_the_middle_of_a_fold_and_the_run_ends_with_the_same_bytes(nodes, workdir):
    """A tiny entry is trained undisturbed, then with a node killed once both folds have begun."""
    from folds.make import main as make_folds
    from recordings.demo import main as simulate
    from recordings.prepare import main as prepare

    simulate(["--out", "input/r", "--profile", "smoke"])
    for run in ("calm", "r"):
        prepare(["--run", run, "--track1", "input/r/imigue"])
        make_folds(["--run", run, "--num-folds", "2"])
    cluster, two = nodes

    def entry(run: str) -> Step:
        arguments = ("--run", run, "--profile", "smoke", "--epochs", "40", "--device", "cpu")
        return Step("gecn", "models.gecn.train", arguments, writes=(f"oof/{run}/gecn.npz",), num_folds=2,
                    fold_writes=(f"checkpoints/{run}/gecn/fold{{fold}}/predictions.npz",))  # fmt: skip

    runner(cluster, [entry("calm")])()
    disturbed = runner(cluster, [entry("r")])
    look, killed = disturbed._look, []

    def look_and_kill_once() -> None:
        if not killed and all(Path(f"checkpoints/r/gecn/fold{k}/log.csv").exists() for k in (0, 1)):
            cluster.remove_node(two[1], allow_graceful=False)
            killed.append(two[1])
        look()

    disturbed._look = look_and_kill_once
    disturbed()
    assert killed, "the training was over before the node was killed"
    digests = {hashlib.sha256(Path(f"oof/{run}/gecn.npz").read_bytes()).hexdigest() for run in ("calm", "r")}
    assert len(digests) == 1
