"""Mixed precision: python -m pytest tests/training/test_precision.py"""

import pytest
import torch

from datasets.errors import InputError
from training.precision import autocast, usable_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(("supported", "used"), [(True, "bf16"), (False, "fp32")])
def test_bf16_is_used_only_where_the_processor_has_it(monkeypatch, supported, used):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported)
    assert usable_precision("bf16", CPU) == used
    with autocast("bf16", CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == (torch.bfloat16 if supported else torch.float32)


def test_wrong_precisions_are_named():
    with pytest.raises(InputError, match="expected fp32, bf16 or fp16"):
        usable_precision("int8", CPU)
    with pytest.raises(InputError, match="needs a GPU"):
        usable_precision("fp16", CPU)
    assert usable_precision("fp16", torch.device("cuda")) == "fp16"
