"""How long a blend search takes: ours beside a plain one that asks scikit-learn in every trial.

The plain one is what a script does at first: Optuna's default sampler, softmax of every entry at the trial's
temperature in float64, weighted sum, `accuracy_score` and `log_loss`. Both get the same arrays, joined beforehand, and
the same number of trials. Each runs in a process of its own, so that peak memory is its own; times are those on the
processor with one thread, so that other work on the machine does not count.

reads: nothing
writes: nothing (prints a table)

    python -m benchmarks.blend                     # 500 trials, 13,000 clips, 32 classes, 12 entries
    python -m benchmarks.blend --trials 100
"""

import argparse
import multiprocessing
import os
import resource
import time

import numpy as np
import optuna
from sklearn.metrics import accuracy_score, log_loss
from threadpoolctl import threadpool_limits

from ensemble.evaluate import TOP1
from ensemble.mixture import Blend, blend_probabilities, softmax
from ensemble.tune import Search, tune


def correlated_entries(num_entries: int, num_clips: int, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(E, N, K) float32 logits of entries that find the same clips hard, and (N,) labels."""
    rng = np.random.default_rng(0)
    labels = rng.choice(num_classes, num_clips, p=(share := 0.85 ** np.arange(num_classes)) / share.sum())
    hardness = rng.normal(size=(num_clips, num_classes))
    logits = np.zeros((num_entries, num_clips, num_classes), np.float32)
    for entry, strength in zip(logits, np.linspace(2.2, 1.2, num_entries), strict=True):
        own_error = 0.8 * rng.normal(size=hardness.shape)
        entry[:] = 1.5 * (strength * np.eye(num_classes)[labels] + hardness + own_error)
    return logits, labels


def plain_search(logits: np.ndarray, labels: np.ndarray, trials: int) -> tuple[Blend, float]:
    """Weights and temperatures by Optuna's default sampler, one scikit-learn call after another.

    Returns:
        the blend, and the seconds that went into blending and scoring, without the sampler.
    """
    every, scoring = range(len(logits)), []

    def blend_of(params: dict) -> Blend:
        raw = np.array([params[f"weight{e}"] for e in every])
        return Blend(raw / raw.sum(), np.array([params[f"temperature{e}"] for e in every]))

    def objective(trial: optuna.Trial) -> float:
        for e in every:
            trial.suggest_float(f"weight{e}", 0, 1)
            trial.suggest_float(f"temperature{e}", 0.5, 8, log=True)
        blend = blend_of(trial.params)
        start = time.process_time()
        mixed = sum(w * softmax(z / t) for z, w, t in zip(logits, blend.weights, blend.temperatures, strict=True))
        top1 = accuracy_score(labels, mixed.argmax(1))
        value = top1 - 1e-6 * log_loss(labels, mixed, labels=range(logits.shape[-1]))
        scoring.append(time.process_time() - start)
        return value

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.enqueue_trial({f"weight{e}": 1.0 for e in every} | {f"temperature{e}": 1.0 for e in every})
    study.optimize(objective, n_trials=trials)
    return blend_of(study.best_params), sum(scoring)


def measure(which: str, trials: int, shape: tuple[int, int, int], pipe) -> None:
    """Run one search in this process; send its seconds, the plain one's without the sampler, MB, MB before, top-1.

    Ours is the search of ensemble.blend, warm starts and the dropping of dead entries included.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logits, labels = correlated_entries(*shape)
    before = peak_mb()
    with threadpool_limits(1):
        start = time.process_time()
        if which == "plain":
            blend, scoring = plain_search(logits, labels, trials)
        else:
            blend, scoring = tune(logits, labels, Search(trials=trials)), 0.0
        seconds = time.process_time() - start
    pipe.send((seconds, scoring, peak_mb(), before, TOP1.score(blend_probabilities(list(logits), blend), labels)))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_own_process(*arguments) -> tuple[float, float, float, float, float]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=measure, args=(*arguments, theirs))
    process.start()
    theirs.close()
    result = ours.recv()
    process.join()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="How long a blend search takes, beside a plain one.")
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--clips", type=int, default=13_000)
    parser.add_argument("--classes", type=int, default=32)
    parser.add_argument("--entries", type=int, default=12)
    args = parser.parse_args()
    shape = (args.entries, args.clips, args.classes)
    print(
        f"{args.trials} trials, {args.clips} clips, {args.classes} classes, {args.entries} entries; "
        f"numpy {np.__version__}, optuna {optuna.__version__}, {os.cpu_count()} cores"
    )
    print(f"  {'search':8} {'seconds':>8} {'ms a trial':>11} {'peak MB':>8} {'before it':>10} {'in-sample top-1':>16}")
    seconds, scoring = {}, {}
    for which in ("plain", "ours"):
        seconds[which], scoring[which], peak, before, top1 = in_own_process(which, args.trials, shape)
        each = 1000 * seconds[which] / args.trials
        print(f"  {which:8} {seconds[which]:8.1f} {each:11.1f} {peak:8.0f} {before:10.0f} {top1:16.4f}", flush=True)
    print(
        f"  ratio {seconds['plain'] / seconds['ours']:.1f}; against the plain scoring alone, its sampler not counted, "
        f"{scoring['plain'] / seconds['ours']:.1f}"
    )


if __name__ == "__main__":
    main()
