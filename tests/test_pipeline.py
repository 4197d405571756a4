"""The list of this project: python -m pytest -n 0 tests/test_pipeline.py"""

import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from miga.engine.command import wanted_tasks
from miga.engine.options import PROFILES, Options, build_parser, options_of
from miga.engine.steps import Plan
from miga.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


def options_from(*arguments: str) -> Options:
    return options_of(vars(build_parser().parse_args(list(arguments))))


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_a_list_that_can_run(profile):
    options = Options("r", profile, track1="a", track2="b", num_folds=3)
    plan = Plan(pipeline.steps_of(options))
    waves = plan.wave_of({task.name for task in plan.tasks})
    assert waves["page"] == max(waves.values()) > waves["summary"]
    for before, after in (("prepare", "check"), ("check", "folds"), ("stack", "blend")):
        assert waves[before] < waves[after]
    assert all(waves["check"] < waves[task.name] for task in plan.tasks if task.step.num_folds)
    for member in pipeline.MEMBERS_OF[profile]:
        assert waves["tokens_joint"] < waves[f"detector_{member}.0"] < waves[f"propose_{member}"] < waves["spot"] or (
            member == "rgb"
        )
    assert waves["pictures_track2"] < waves["tokens_rgb"] < waves["spot"] < waves["forecast_track2"]


def test_a_model_whose_folder_is_gone_is_in_no_list(monkeypatch, workdir):
    for folder in ("gecn", "ehct"):
        Path("models", folder).mkdir(parents=True)
    assert {folder for folder, _, _ in pipeline.entries_of("paper")} == {"gecn", "ehct"}


def test_settings_reach_their_entries_only():
    options = options_from("--set", "m3cn.weights_pose=pose.pth", "--set", "spotting.detector.window=512")
    steps = {step.name: step for step in pipeline.steps_of(options)}
    assert steps["m3cn"].arguments[-2:] == ("--weights_pose", "pose.pth")
    assert all("--detector.window" in steps[name].arguments for name in ("tokens_joint", "tokens_rgb", "detector_rgb"))
    assert all("pose.pth" not in step.arguments for name, step in steps.items() if name != "m3cn")


def test_a_part_of_the_list():
    plan = Plan(pipeline.steps_of(options_from()))
    assert wanted_tasks(plan, {"only": "m3cn", "fold": 2}) == {"m3cn.2"}
    assert wanted_tasks(plan, {"from_step": "blend"}) == {"blend", "forecast", "summary", "page"}
    assert wanted_tasks(plan, {"check": True}) == {"recordings", "prepare", "check"}
    with pytest.raises(InputError, match="no step is called blnd"):
        wanted_tasks(plan, {"only": "blnd"})
    with pytest.raises(InputError, match="none of these steps has this fold"):
        wanted_tasks(plan, {"only": "blend", "fold": 0})


def test_paths_are_those_of_the_folder_a_person_stands_in(workdir):
    (workdir / "elsewhere" / "data").mkdir(parents=True)
    options = options_from("--run", "r", "--track1", "data", "--called-from", str(workdir / "elsewhere"))
    assert options.track1 == "elsewhere/data"
    with pytest.raises(InputError, match="--track1 data: no such file or folder"):
        options_from("--run", "r", "--track1", "data", "--called-from", str(workdir))


def test_a_run_goes_on_with_the_options_it_was_started_with(workdir):
    from miga.engine.options import remember

    Path("data").mkdir()
    first = options_from("--run", "r", "--track1", "data", "--profile", "bench", "--set", "ehct.epochs=2")
    remember(first)
    assert options_from("--run", "r") == first
    assert options_from("--run", "r", "--num-folds", "3").track1 == "data"
    assert options_from("--run", "r", "--track1", "data").profile == "demo"


def test_listing_is_made_without_torch_or_pandas():
    code = (
        "import sys, pipeline; from miga.engine.command import main; main(pipeline.steps_of, ['--list'])\n"
        "assert not {'torch', 'pandas', 'numpy'} & set(sys.modules), 'a slow library is loaded'"
    )
    listed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
    assert "m3cn" in listed.stdout and "summary" in listed.stdout


def steps_with(*arguments: str) -> dict:
    return {step.name: step for step in pipeline.steps_of(options_from(*arguments))}


def test_a_refit_adds_a_step_an_entry_and_tells_the_blend_whose_rows_to_take():
    plain, steps = steps_with(), steps_with("--refit", "--test-rows", "both")
    refits = {name for name in steps if name.startswith("refit_")}
    assert steps.keys() - plain.keys() == refits
    assert refits == {f"refit_{name}" for _, name, _ in pipeline.entries_of("demo")}
    assert plain["blend"].arguments == ("--run", "demo")
    assert steps["blend"].arguments == ("--run", "demo", "--test-rows", "both")
    unchanged = plain.keys() - {"blend"}
    assert {name: steps[name].arguments for name in unchanged} == {name: plain[name].arguments for name in unchanged}
    assert all(steps[name].num_folds == 0 and steps[name].wants_gpu for name in refits)


def test_a_refit_comes_after_its_folds_and_starts_are_trained_once():
    plan = Plan(list(steps_with("--refit").values()))
    assert plan.waits_for["refit_gecn"] >= {"gecn", "adapt_gecn"}
    assert "refit_rgbpose_joint" in plan.waits_for["refit_prototype_joint"] & plan.waits_for["refit_rgbpose_limb"]
    assert plan.waits_for["blend"] >= {"refit_gecn", "refit_rgbpose_joint", "stack"}


def test_test_rows_of_refits_need_refits():
    with pytest.raises(InputError, match="--test-rows refit: add --refit"):
        options_from("--test-rows", "refit")
    with pytest.raises(InputError, match=r"--test-rows: invalid choice: 'all'.* --help lists the options"):
        options_from("--refit", "--test-rows", "all")
    assert steps_with("--refit")["blend"].arguments[-2:] == ("--test-rows", "refit")


def test_a_finished_run_can_be_refitted_later(workdir):
    from miga.engine.options import remember

    Path("data").mkdir()
    remember(options_from("--run", "r", "--track1", "data"))
    remember(options_from("--run", "r", "--refit"))
    again = options_from("--run", "r")
    assert again.refit and again.track1 == "data" and again.test_rows == ""
