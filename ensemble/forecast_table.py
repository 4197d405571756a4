"""The facts of ensemble.forecast as a table for a person."""


def format_forecast(facts: dict) -> str:
    """Text of forecast.txt."""
    low, high = facts["leaderboard"]["interval"]
    systems = list(facts["systems"])
    last = systems[-1]
    lines = [
        f"Every figure is {facts['how']}.",
        *_people(facts),
        "",
        f"Forecast of the leaderboard: {facts['leaderboard']['expected']:.4f}, 95 % within {low:.3f} to {high:.3f}",
        f"  (ships {facts['shipped']}; the mean of the fold models on the test may do a little better)",
        *_cautions(facts),
        "",
        f"  {'system':34}  top-1  95 % interval   class avg  macro-F1   head  medium   tail  P({last} better)",
    ]
    for name, row in facts["systems"].items():
        low, high = row["top1_interval"]
        groups = "  ".join(_cell(facts["class_groups"][name][group], 5) for group in ("head", "medium", "tail"))
        chance = f"{facts['chance_of_beating'][last][name]:.2f}" if name != last else ""
        lines.append(
            f"  {name:34}  {row['top1']:.3f}  {low:.3f} to {high:.3f}      {row['class_average']:.3f}     "
            f"{row['macro_f1']:.3f}  {groups}  {chance:>8}"
        )
    low, high = facts["class_average_interval"]
    lines += [
        f"  class average of {last}: 95 % within {low:.3f} to {high:.3f}",
        f"  (intervals of this table: of the mean over all {facts['kind']}s there are; P: on the new {facts['kind']}s)",
        "",
    ]
    lines.append(f"  {'entry':34}  top-1  class avg  adds to the blend  ECE  calibrated")
    for name in [*facts["single"], last]:
        row = facts["single"].get(name, facts["systems"].get(name))
        adds = f"{100 * facts['adds'][name]:+.2f} points" if name in facts["adds"] else ""
        ece = facts["calibration"][name]
        lines.append(
            f"  {name:34}  {row['top1']:.3f}      {row['class_average']:.3f}  {adds:>17}  {ece['before']:.3f}"
            f"       {ece['after']:.3f}"
        )
    others = {name: gain for name, gain in facts["adds"].items() if name not in facts["single"]}
    lines += [f"  {name:34}                    {100 * gain:+.2f} points" for name, gain in others.items()]
    names, matrix = facts["error_correlation"]["names"], facts["error_correlation"]["matrix"]
    shown = [i for i, name in enumerate(names) if name in facts["adds"]]
    lines += ["", "  correlation of errors, of the entries that the blend weighs"]
    lines.append(" " * 36 + "".join(f"{number:>6}" for number in range(1, len(shown) + 1)))
    for number, i in enumerate(shown, start=1):
        lines.append(f"  {number:>3} {names[i]:30}" + "".join(f"{matrix[i][j]:6.2f}" for j in shown))
    return "\n".join(lines) + "\n"


def _people(facts: dict) -> list[str]:
    """Who the figures come from, and who the forecast is for."""
    kind, new_clips = facts["kind"], facts["leaderboard"]["new_clips"]
    seen = f"{facts['num_clips']} clips of {facts['num_subjects']} {kind}s; "
    if not facts["num_test_clips"]:
        return [f"{seen}there are no test clips, so the forecast is for one new {kind} of {new_clips[0]} clips."]
    return [f"{seen}the test has {facts['num_test_clips']} clips, taken as {len(new_clips)} {kind}s."]


def _cautions(facts: dict) -> list[str]:
    """What makes the interval too narrow, where it does."""
    lines = []
    if facts["kind"] == "video":
        lines.append("  (people are unknown, so a video stands for a person: too sure if people are in several videos)")
    if not facts["choice_held_out"]:
        lines.append("  (with fewer than three folds the choice of what ships is not held out, which flatters it)")
    return lines


def _cell(value: float | None, width: int) -> str:
    return f"{value:{width}.3f}" if value is not None else " " * (width - 1) + "-"
