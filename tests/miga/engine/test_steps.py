"""The order of the list: python -m pytest -n 0 tests/miga/engine/test_steps.py"""

from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miga.engine.schedule import Schedule
from miga.engine.steps import Plan, Step, Task
from tests.miga.engine.lists import small_list


def test_a_step_waits_for_what_it_reads_and_a_join_for_its_folds():
    plan = Plan(small_list())
    assert plan.waits_for["folds"] == set()
    assert plan.waits_for["long.0"] == {"folds"}
    assert plan.waits_for["long"] == {"folds", "long.0", "long.1"}
    assert plan.waits_for["blend"] == {"short", "long"}
    assert plan.waits_for["detector"] == set()


def test_a_star_does_not_stand_for_a_slash():
    check = Step("check", "m", (), reads=("clips/*/meta.json",), writes=("check.txt",))
    pictures = Step("pictures", "m", (), after=("check",), writes=("clips/track1/rgb/meta.json",))
    assert Plan([check, pictures]).waits_for == {"check": set(), "pictures": {"check"}}


def test_steps_in_a_circle_are_refused():
    steps = [Step("a", "m", (), reads=("x",), writes=("y",)), Step("b", "m", (), reads=("y",), writes=("x",))]
    with pytest.raises(CycleError):
        Schedule(Plan(steps), {"a", "b"})


def test_the_longest_way_to_the_end_goes_first():
    plan = Plan(small_list())
    schedule = Schedule(plan, {task.name for task in plan.tasks})
    assert [task.name for task in schedule.ready()] == ["folds", "detector"]
    schedule.end(schedule.ready()[0])
    assert [task.name for task in schedule.ready()][:2] == ["long.0", "long.1"]


def test_all_that_follows_from_a_step():
    assert Plan(small_list()).steps_from("short") == {"short", "blend"}


@given(st.lists(st.lists(st.integers(0, 11), max_size=4), min_size=1, max_size=12), st.randoms())
def test_any_list_ends_with_every_task_after_those_it_waits_for(reads, random):
    """A step may read what earlier ones write; tasks end in any order that the schedule allows."""
    steps = [
        Step(f"s{i}", "m", (), tuple(f"f{j}" for j in before if j < i), (f"f{i}",), num_folds=i % 3)
        for i, before in enumerate(reads)
    ]
    plan = Plan(steps)
    schedule, ended = Schedule(plan, {task.name for task in plan.tasks}), []
    while not schedule.is_over:
        task = random.choice(schedule.ready())
        schedule.start(task)
        assert plan.waits_for[task.name] <= set(ended)
        schedule.end(task)
        ended.append(task.name)
    assert sorted(ended) == sorted(task.name for task in plan.tasks)
    waves = plan.wave_of(set(ended))
    assert all(waves[before] < waves[name] for name, others in plan.waits_for.items() for before in others)


def test_the_command_of_a_fold():
    entry = small_list()[1]
    assert Task(entry, 1).arguments[-2:] == ("--fold", "1") and "--fold" not in Task(entry).arguments
    assert Task(entry, 1).writes == ("oof/short_1.txt",)
