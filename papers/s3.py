"""M2HEN (Huang et al., MiGA 2024, second of track 1): tables 1 and 2, figure 2.

reads:  report/<run>/options.json; what its steps write
writes: report/<run>/papers/s3.{json,txt}, report/<run>/class_distribution.png; through its steps oof/<run>/

    python -m papers.s3 --run R

ResNet3D is RGBPose-Conv3D's block, Res2Net3D that of M3CN. The rows of one modality are the pathways that are trained
alone before both; NoC, the number of test clips, is a matter of prediction, so no row trains a network again.
"""

from pathlib import Path

from miga.engine.options import Options
from miga.engine.steps import Step
from miga.errors import run_command
from miga.files import read_json
from miga.paths import clips_dir
from miga.skeletons import HYPEREDGES
from papers.class_distribution import draw_class_distribution
from papers.group_training import as_mixture, as_printed, with_fitted_alphas
from papers.mixture import reached_by
from papers.steps import FOLDER, entry_of_run, predict_step, tails_step, train_step
from papers.table import Paper, Row, Scores, fill

# Table 1: (modality or NoC) -> top-1, top-5, class average.
RESNET3D = {
    "rgb": (57.62, 87.07, 27.49), "pose": (61.73, 89.19, 34.64), 1: (66.59, 92.79, 41.09), 5: (67.27, 93.07, 41.59),
    10: (67.27, 93.07, 41.35), 15: (67.16, 93.16, 41.13),
}  # fmt: skip
RES2NET3D = {
    "rgb": (61.14, 89.35, 28.07), "pose": (61.11, 87.72, 35.95), 1: (66.57, 91.98, 41.63), 5: (67.69, 92.53, 42.12),
    10: (68.11, 92.63, 41.44), 15: (68.17, 92.66, 41.66),
}  # fmt: skip
OTHERS = (
    ("stgcn", "ST-GCN", 46.97, 84.09), ("msg3d", "MS-G3D", 54.91, 89.98), ("tsn", "TSN", 51.54, 85.42),
    ("trn", "TRN", 55.24, 89.17), ("tsm", "TSM", 61.10, 91.24),
)  # fmt: skip
M3CN, EHCT = "m3cn_noc10", "ehct_enhanced"
BOTH = (f"{FOLDER}/{M3CN}", f"{FOLDER}/{EHCT}")


def figures_of(top1: float, top5: float, average: float | None = None) -> Scores:
    scores = {"top1": top1, "top5": top5}
    return scores if average is None else {**scores, "class_average": average}


def rows(options: Options) -> list[Row]:
    resnet = entry_of_run(options, "rgbpose", "joint")
    found = backbone_rows(options, "ResNet3D", "rgbpose", resnet, RESNET3D, 1)
    found += backbone_rows(options, "Res2Net3D", "m3cn", "m3cn", RES2NET3D, 7)
    m3cn = predict_step(options, "m3cn", M3CN, "--num_test_clips", "10")
    ehct = train_step(options, "ehct", EHCT, *ehct_settings(options))
    tails = tails_step(options, M3CN, "m3cn"), tails_step(options, EHCT, "ehct")
    m2hen = (m3cn, ehct, *tails)
    published = figures_of(70.19, 93.69, 47.36)
    found += [
        Row("hge", "M3CN + EHCT (HgE), NoC 10", "Table 1, row 13", figures_of(69.47, 93.64, 40.29), (m3cn, ehct),
            reached_by(dict.fromkeys(BOTH, 0.5)), "The paper gives no weights: probabilities one to one."),
        Row("gpt", "HgE + GpT = M2HEN", "Table 1, row 14; table 2", published, m2hen, as_printed(*BOTH),
            "Equation 5 on logits as printed, tails of M3CN and EHCT one to one, every alpha 1."),
        Row("gpt_fitted", "the same, alphas chosen", "Table 1, row 14", published, m2hen, with_fitted_alphas(*BOTH),
            "Equation 5 on logits, each fold with the alphas that are best on the other folds."),
        Row("gpt_mixture", "the same, on probabilities", "Table 1, row 14", published, m2hen, as_mixture(*BOTH),
            "Our reading: a proper mixture of probabilities (R4 of ensemble/merge.py), every alpha 1."),
    ]  # fmt: skip
    return found + table_2(options, ehct, tails[1])


def backbone_rows(options: Options, title: str, folder: str, entry: str, published: dict, first: int) -> list[Row]:
    """The six rows of a backbone: each modality alone, then both with 1, 5, 10 and 15 test clips."""
    found = []
    for place, (key, scores) in enumerate(published.items()):
        if isinstance(key, str):
            name, system = f"{folder}_{key}", f"{title}, {'RGB' if key == 'rgb' else 'skeleton'}, NoC 1"
            step = predict_step(options, entry, name, "--stage", key)
        else:
            name, system = f"{folder}_noc{key}", f"{title}, RGB + skeleton, NoC {key}"
            step = predict_step(options, entry, name, "--num_test_clips", str(key))
        where, ours = f"Table 1, row {first + place}", reached_by({f"{FOLDER}/{name}": 1})
        found.append(Row(name, system, where, figures_of(*scores), (entry, step), ours))
    return found


def table_2(options: Options, ehct: Step, ehct_tails: Step) -> list[Row]:
    """What table 2 adds to table 1."""
    hyperformer = entry_of_run(options, "ehct", "joint")
    note = "" if hyperformer == "ehct_joint" else f"Ours is {hyperformer}: this profile joins the streams."
    name = f"{FOLDER}/{EHCT}"
    found = [
        Row("hyperformer", "Hyperformer", "Table 2", figures_of(57.01, 87.86), (hyperformer,),
            reached_by({hyperformer: 1}), note),
        Row("ehct_main", "EHCT, main classifier alone", "not published", {}, (ehct,), reached_by({name: 1})),
        Row("ehct", "EHCT, main and auxiliary", "Table 2", figures_of(63.02, 91.36), (ehct, ehct_tails),
            as_printed(name), "Enhanced hypergraph attention; auxiliary classifiers by equation 5, every alpha 1."),
    ]  # fmt: skip
    return found + [
        Row(key, system, "Table 2", figures_of(top1, top5), note="Another method, not in this repository.")
        for key, system, top1, top5 in OTHERS
    ]


def ehct_settings(options: Options) -> tuple[str, ...]:
    """EHCT as published: enhanced, with body, face and either hand as hyperedges where the skeleton has them."""
    settings = ("--enhanced", "true")
    meta = clips_dir(options.run, "track1") / "meta.json"
    skeleton = read_json(meta, "prepare the recordings again")["skeleton"]["name"] if meta.exists() else ""
    has_hands = not skeleton or "hands" in HYPEREDGES.get(skeleton, {})
    return (*settings, "--hyperedges", "hands") if has_hands else settings


def figures(options: Options) -> list[Path]:
    return [draw_class_distribution(options.run)]


PAPER = Paper("s3", "M2HEN (MiGA 2024, track 1, second)", rows, figures)


def main(argv: list[str] | None = None) -> None:
    fill(PAPER, argv)


if __name__ == "__main__":
    run_command(main)
