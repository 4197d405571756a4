"""Two kinds of trees, learnt on rows of numbers; the mean of what they say."""

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from miga.clips import Clips
from miga.training.verbs import Place
from miga.transforms.crop import flip_joints
from models.trees.config import TreesConfig
from models.trees.features import clip_features

FLOOR = 1e-3  # share of equal probabilities mixed in: a class that no tree has seen is not impossible


def log_probs(
    clips: Clips, config: TreesConfig, train_rows: np.ndarray, rows: np.ndarray, place: Place
) -> NDArray[np.float32]:
    """Train on `train_rows` of the clip table and return log-probabilities (len(rows), K) of `rows`.

    Where the class of a mirrored clip is known, its mirror image is trained on too, and the probabilities of a clip are
    the mean of those of the clip and of its image.
    """
    label, mirror = clips.table.label.to_numpy()[train_rows], clips.mirror if config.mirrored else None
    features = features_of(clips, train_rows, config)
    if mirror is not None:
        features = np.concatenate([features, features_of(clips, train_rows, config, is_mirrored=True)])
        label = np.concatenate([label, mirror[label]])
    if not len(rows):
        return np.zeros((0, clips.num_classes), np.float32)
    seed = int(np.random.SeedSequence([config.seed, *place.seeds]).generate_state(1)[0] >> 1)
    views = [features_of(clips, rows, config)]
    if mirror is not None:
        views.append(features_of(clips, rows, config, is_mirrored=True))
    said = probabilities(features, label, np.concatenate(views), clips.num_classes, config, seed)
    said = said.reshape(len(views), len(rows), clips.num_classes)
    if mirror is not None:
        said[1] = said[1][:, mirror]
    return np.log((1 - FLOOR) * said.mean(axis=0) + FLOOR / clips.num_classes).astype(np.float32)


def features_of(clips: Clips, rows: np.ndarray, config: TreesConfig, is_mirrored: bool = False) -> np.ndarray:
    """(len(rows), F) float32 of the clips, or of their mirror images."""
    found = []
    for row in rows.tolist():
        joints = clips.joints_of(row)
        if is_mirrored:
            joints = flip_joints(joints, float(clips.table.width[row]), clips.skeleton.flip_index)
        found.append(clip_features(joints, clips.skeleton, config.num_steps))
    return np.stack(found)


def probabilities(
    features: np.ndarray, label: np.ndarray, wanted: np.ndarray, num_classes: int, config: TreesConfig, seed: int
) -> np.ndarray:
    """(len(wanted), K) by trees that learnt `features` and `label`; one thread, so the same bytes everywhere."""
    random = ExtraTreesClassifier(
        config.num_trees, max_features=config.max_share, min_samples_leaf=config.min_clips, n_jobs=1, random_state=seed
    )
    random.fit(features, label)
    said = np.zeros((len(wanted), num_classes))
    said[:, random.classes_] = random.predict_proba(wanted)
    settings = {
        "objective": "multiclass", "num_class": num_classes, "learning_rate": config.learning_rate,
        "num_leaves": config.num_leaves, "feature_fraction": config.column_share, "min_data_in_leaf": 5, "max_bin": 63,
        "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": seed, "verbosity": -1,
    }  # fmt: skip
    boosted = lightgbm.train(settings, lightgbm.Dataset(features, label), num_boost_round=config.num_rounds)
    return (1 - config.boosted_share) * said + config.boosted_share * np.asarray(boosted.predict(wanted, num_threads=1))
