"""The image-level baseline as reported: python -m pytest -n 0 tests/models/test_image_level_as_reported.py"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.image_level.as_reported import EPOCHS, STOP_AFTER, History, settings_as_reported, split_by_clip
from models.image_level.config import PROFILES


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80), st.integers(0, 3))
def test_a_fifth_of_the_clips_of_each_class_is_held_out(label, seed):
    label = np.array(label)
    held_out = split_by_clip(label, seed=seed)
    for number in np.unique(label):
        own = held_out[label == number]
        assert own.sum() == (max(round(0.2 * len(own)), 1) if len(own) > 1 else 0)
        assert not own.all()
    assert np.array_equal(held_out, split_by_clip(label, seed=seed))


def test_training_stops_four_epochs_after_the_least_loss():
    def history(losses):
        return History([{"held_out_loss": loss} for loss in losses])

    assert not history([]).is_over
    assert not history([3, 2, 1, 2, 2, 2]).is_over
    assert history([3, 2, 1, 2, 2, 2, 2]).is_over and STOP_AFTER == 4
    assert history(list(range(EPOCHS, 0, -1))).is_over


def test_the_recipe_is_the_reports():
    config = settings_as_reported(PROFILES["paper"])
    assert (config.epochs, config.optimizer, config.lr, config.lr_batch_size) == (
        20,
        "amsgrad",
        1e-3,
        config.batch_size,
    )
    assert config.frozen_epochs == 0 and not config.flip and config.crop_area_min == 1 and config.ema_decay == 0
