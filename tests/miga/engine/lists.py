"""A small list of steps whose command writes what it was told to, after a while."""

import sys
import time
from pathlib import Path

from miga.engine.steps import Step

HERE = "tests.miga.engine.lists"


def main(argv: list[str] | None = None) -> None:
    """`NAME PATH [SECONDS|fail] [--fold K]`: append a line to PATH, or fail."""
    name, path, what, *rest = argv if argv is not None else sys.argv[1:]
    path = path.replace("{fold}", rest[1] if "--fold" in rest else "all")
    print(f"{name} was called")
    if what == "fail":
        print("error: this step was asked to fail", file=sys.stderr)
        sys.exit(2)
    time.sleep(float(what))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        file.write(f"{name}\n")


def small_list(detector: str = "0") -> list[Step]:
    """folds -> two entries in two folds -> blend; `detector` of nothing."""
    folds = Step("folds", HERE, ("folds", "folds.csv", "0"), writes=("folds.csv",))
    entries = [
        Step(name, HERE, (name, f"oof/{name}_{{fold}}.txt", "0"), reads=("folds.csv",),
             writes=(f"oof/{name}_all.txt",), num_folds=2, fold_writes=(f"oof/{name}_{{fold}}.txt",), minutes=minutes)
        for name, minutes in (("short", 1.0), ("long", 5.0))
    ]  # fmt: skip
    blend = Step("blend", HERE, ("blend", "blend.txt", "0"), reads=("oof/*_all.txt",), writes=("blend.txt",))
    return [folds, *entries, blend, Step("detector", HERE, ("detector", "spot.txt", detector), writes=("spot.txt",))]


if __name__ == "__main__":
    main()
