"""What a blend decided, as plain values for weights.json and as a table for a person."""

import numpy as np

from ensemble.choose import Step
from ensemble.mixture import Blend
from ensemble.recipes import CrossFit, Recipe
from oof.metrics import scores

TUNED = Recipe(weights="tuned")


def blend_facts(crossfit: CrossFit, recipe: Recipe, steps: list[Step], whole: np.ndarray) -> dict:
    """Plain values: what ships, the scores of every recipe, and the estimate of the whole procedure.

    Args:
        whole: (N, K) probabilities of ensemble.choose.estimate.
    """
    entries, search = crossfit.material.entries, crossfit.search
    label, every = entries.label, np.arange(len(entries.label))
    singles = [scores(logits, label) for logits in entries.logits]
    best = int(np.argmax([single["top1"] for single in singles]))
    shipped = crossfit.blend(recipe)
    names = crossfit.names(recipe)
    parts = crossfit.material.parts.names if recipe.parts and crossfit.material.parts else ()
    tuned = {}
    if any(step.challenger == TUNED for step in steps):
        tuned = {
            "tuned": scores(crossfit.fitted(TUNED, None, every), label),
            "cross_fitted": scores(crossfit.probabilities(TUNED), label),
        }
    return {
        "entries": list(entries.names),
        "shipped": recipe.title,
        "single": dict(zip(entries.names, singles, strict=True)),
        "best_single": {"name": entries.names[best], **singles[best]},
        "equal": scores(crossfit.probabilities(Recipe()), label),
        **tuned,
        "estimate": scores(whole, label),
        "steps": [
            {
                "current": step.current.title,
                "challenger": step.challenger.title,
                "measure": step.measure,
                "gain": step.gain,
                "spread": step.spread,
                "accepted": step.accepted,
                "cross_fitted": scores(crossfit.probabilities(step.challenger), label),
            }
            for step in steps
        ],
        "blend": plain_weights(shipped, names),
        "dropped": [name for name, weight in zip(names, shipped.weights, strict=True) if weight == 0],
        "alphas": dict(zip(parts, shipped.alphas.tolist(), strict=True)),
        "reading": shipped.reading if recipe.parts else None,
        "tau": shipped.tau,
        "fold_blends": {
            str(fold): plain_blend(crossfit.blend(recipe, fold), names) for fold in crossfit.material.folds
        },
        "objective_top1_share": search.objective.top1_share,
        "seed": search.seed,
        "trials": search.trials,
        "absent_classes": [str(entries.classes[k]) for k in range(len(entries.classes)) if k not in label],
    }


def plain_weights(blend: Blend, names: tuple[str, ...]) -> dict:
    """Name -> weight and temperature, of the entries that are in."""
    rows = zip(names, blend.weights, blend.temperatures, strict=True)
    return {name: {"weight": float(weight), "temperature": float(t)} for name, weight, t in rows if weight > 0}


def plain_blend(blend: Blend, names: tuple[str, ...]) -> dict:
    return {"weights": plain_weights(blend, names), "alphas": blend.alphas.tolist(), "tau": blend.tau}


def print_facts(facts: dict) -> None:
    """The scores, what was decided and why, and what ships."""
    rows = [(f"best single ({facts['best_single']['name']})", facts["best_single"]), ("equal weights", facts["equal"])]
    if "tuned" in facts:
        rows.append(("tuned weights, on what they were tuned on", facts["tuned"]))
    rows += [(f"{step['challenger']}, cross-fitted", step["cross_fitted"]) for step in facts["steps"]]
    rows.append(("estimate: as shipped, choice cross-fitted too", facts["estimate"]))
    print(f"  {'out-of-fold':50}  top-1  top-5  class avg  macro-F1")
    for title, row in rows:
        print(
            f"  {title:50}  {row['top1']:.3f}  {row['top5']:.3f}"
            f"      {row['class_average']:.3f}     {row['macro_f1']:.3f}"
        )
    for step in facts["steps"]:
        print(
            f"  {step['challenger']} against {step['current']}: {step['measure']} {step['gain']:+.4f}, spread "
            f"{step['spread']:.4f}: {'taken' if step['accepted'] else 'not taken'}"
        )
    print(f"  ships {facts['shipped']}")
    for name, row in facts["blend"].items():
        print(f"    {name:28} weight {row['weight']:.3f}  temperature {row['temperature']:.2f}")
    for name, alpha in facts["alphas"].items():
        print(f"    {name:28} alpha {alpha:.3f} (reading {facts['reading']})")
    if facts["dropped"]:
        print(f"    dropped, not missed: {', '.join(facts['dropped'])}")
    if facts["tau"]:
        print(f"    class prior taken out to the power of {facts['tau']}")
    if facts["absent_classes"]:
        print(f"  note: no training clip of {', '.join(facts['absent_classes'])}: averages are over the other classes")
