"""EHCT against the public Hyperformer's numbers, and its properties.

The golden numbers come from ZhouYuxuanYX/Hyperformer (commit c35d996, model/Hyperformer.py) and, for the enhanced form
with the token block, from xiazhaoqiang/H2OFormer-MicroGestureRec (model/H2OFormer_e10d4.py without decoder, its line
`e_k, e_v = e_kv[0], kv[1]` corrected to e_kv[1]), run in eval mode with our 22-joint tree, the hyperedges "limbs", one
person and 32 classes; every weight, bias and running statistic is filled by `formula_value` from its key and shape, the
input by `formula_input`. Keys are Hyperformer's: of H2OFormer's the prefix "encoder." is left out, and so is the
identity within each temporal branch when its layers are counted. To renew them, run those repositories so and print
the same entries.

Run alone: python -m pytest tests/models/test_ehct.py
"""

import numpy as np
import pytest
import torch
from torch import nn

from miga.errors import InputError
from miga.skeletons import COCO_17, IMIGUE_22, OPENPOSE_137, SMG_25, Skeleton
from models.ehct.blocks import HypergraphAttention
from models.ehct.hypergraph import hop_distances, hyperedge_means
from models.ehct.model import EHCT

GOLDEN_UNIT_1 = [0.0, 0.0, 0.059637, 0.0, 0.338702]
GOLDEN_UNIT_10 = [0.006993, 0.130745, 0.156348, 0.0, 0.0]
GOLDEN_LOGITS = [[-2.177725, 0.107443, 0.313919, -0.939373], [-2.091258, 0.048715, 0.254866, -0.910105]]
GOLDEN_ENHANCED = [[-2.233766, 0.151955, 0.118101, -0.97402], [-2.182172, 0.088811, 0.028993, -0.912529]]


def formula_value(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A value for every entry of a tensor, from its name and shape alone; the sizes keep activations near one."""
    number = torch.arange(int(np.prod(shape)), dtype=torch.int64)
    seed = sum((place + 1) * ord(letter) for place, letter in enumerate(key))
    noise = ((31 * number * number + 17 * number + seed) % 1009).reshape(shape).double() / 504.5 - 1  # [-1, 1)
    if key.endswith("running_var"):
        value = 1 + 0.5 * noise
    elif key.endswith(("running_mean", "bias")):
        value = 0.1 * noise
    elif len(shape) == 1:  # the scale of a normalisation, alpha and beta
        value = 0.6 + 0.2 * noise
    elif len(shape) == 3:  # O
        value = noise * (3 / shape[-1]) ** 0.5
    else:
        value = noise * (3 / np.prod(shape[1:])) ** 0.5
    return value.float()


def formula_input(batch: int = 2, frames: int = 16, joints: int = 22) -> torch.Tensor:
    b, c, t, v = torch.meshgrid(*(torch.arange(n).double() for n in (batch, 3, frames, joints)), indexing="ij")
    return (0.5 * torch.sin(0.3 * t + 1.1 * v + 0.7 * c + 2 * b)).float()[..., None]


ATTENTION = {"hop_table": "rpe", "edge_bias": "w1", "proj.weight": "proj.weight", "proj.bias": "proj.bias"}
BRANCH_ENDS = {
    "enter": ("0.0", "1.0", "2.0"),
    "enter_bn": ("0.1", "1.1", "2.1"),
    "convs.0": ("0.3.conv",),
    "convs.1": ("1.3.conv",),
    "point": ("3.0",),
    "bn": ("0.3.bn", "1.3.bn", "2.4", "3.1"),
}
TOKEN_BLOCK = {"qkv": "attn.qkv", "proj": "attn.proj", "mlp.0": "mlp.fc1", "mlp.2": "mlp.fc2"}


def public_parts(key: str, shape: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """The public keys and shapes whose concatenation is our entry `key` of this shape."""
    place, _, kind = key.rpartition(".")
    if key.startswith("token_block."):
        part = place.removeprefix("token_block.")
        shape = (*shape, 1, 1) if part.startswith("mlp") and kind == "weight" else shape
        return [(f"block.{TOKEN_BLOCK.get(part, part)}.{kind}", shape)]
    if not key.startswith("units."):
        return [(key, shape)]
    _, number, part, *rest = key.split(".")
    unit, rest = f"l{int(number) + 1}", ".".join(rest)
    if part == "norm":
        return [(f"{unit}.vit1.norm1.{kind}", shape)]
    if part in ("edge_proj", "skip"):
        return [(f"{unit}.vit1.{ {'edge_proj': 'pe_proj', 'skip': 'skip_proj'}[part] }.{kind}", (*shape, 1, 1))]
    if part == "residual":
        return [(f"{unit}.residual.{ {'0': 'conv', '1': 'bn'}[rest[0]] }.{kind}", shape)]
    if part == "temporal":
        ends = BRANCH_ENDS[rest.removesuffix(f".{kind}")]
        share = (shape[0] // len(ends), *shape[1:])
        return [(f"{unit}.tcn1.branches.{end}.{kind}", share) for end in ends]
    if rest.endswith("qkv.weight"):
        width, prefix = shape[0] // 3, "e_" if rest.startswith("edge") else ""
        ends = ((f"{prefix}q", width), (f"{prefix}kv", 2 * width))
        return [(f"{unit}.vit1.attn.{name}.weight", (rows, shape[1], 1, 1)) for name, rows in ends]
    return [(f"{unit}.vit1.attn.{ATTENTION.get(rest, rest)}", shape)]


def fill_by_formula(model: nn.Module) -> nn.Module:
    state = model.state_dict()
    for key, old in state.items():
        if not key.endswith("num_batches_tracked"):
            values = [formula_value(*part) for part in public_parts(key, tuple(old.shape))]
            state[key] = torch.cat(values).reshape(old.shape)
    model.load_state_dict(state)
    return model.eval()


def small(skeleton: Skeleton = IMIGUE_22, **changes) -> EHCT:
    torch.manual_seed(0)
    return EHCT(skeleton, **{"num_classes": 5, "num_heads": 3, "head_dim": 4, "strides": (1, 2, 1), **changes})


def clips(batch: int = 3, frames: int = 8, joints: int = 22, persons: int = 1) -> torch.Tensor:
    return torch.randn(batch, 3, frames, joints, persons, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def wake(model: EHCT) -> EHCT:
    """Give every part that begins at zero or at the identity some weight."""
    for name, parameter in model.named_parameters():
        if name.rpartition(".")[2] in ("alpha", "beta", "hop_table", "edge_bias", "outer"):
            parameter.add_(0.5 * torch.randn(parameter.shape))
    return model


def test_the_public_network_gives_the_same_numbers():
    model, seen = fill_by_formula(EHCT(IMIGUE_22, num_classes=32)), []
    for unit in (model.units[0], model.units[-1]):
        unit.register_forward_hook(lambda _m, _i, output: seen.append(output[0]))
    with torch.no_grad():
        logits = model(formula_input())
    for volume, golden in zip(seen, (GOLDEN_UNIT_1, GOLDEN_UNIT_10), strict=True):
        flat = volume.contiguous().flatten()
        torch.testing.assert_close(flat[:: len(flat) // 5][:5], torch.tensor(golden), rtol=0, atol=1e-4)
    torch.testing.assert_close(logits[:, :4], torch.tensor(GOLDEN_LOGITS), rtol=0, atol=1e-4)


def test_the_enhanced_form_gives_the_numbers_of_the_public_successor():
    model = fill_by_formula(EHCT(IMIGUE_22, num_classes=32, enhanced=True, token_block=True))
    with torch.no_grad():
        logits = model(formula_input())
    torch.testing.assert_close(logits[:, :4], torch.tensor(GOLDEN_ENHANCED), rtol=0, atol=1e-4)


def test_parameters_and_shapes_at_the_published_size():
    model = EHCT(IMIGUE_22, num_classes=32)
    assert sum(parameter.numel() for parameter in model.parameters()) == 2_703_780
    assert hop_distances(IMIGUE_22).max() == 8
    shapes = []
    for unit in model.units:
        unit.register_forward_hook(lambda _m, _i, output: shapes.append(tuple(output[0].shape)))
    with torch.no_grad():
        model.eval()(formula_input(batch=1, frames=64))
    assert shapes == [(1, 216, frames, 22) for frames in (64, 64, 64, 64, 32, 32, 32, 16, 16, 16)]


def slow_attention(module: HypergraphAttention, x: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
    """One frame, joint by joint: x (V, C), e (V, C') -> (V, C')."""
    heads, size = module.num_heads, module.head_dim
    q, k, v = (x @ module.qkv.weight.T).chunk(3, dim=1)
    mixed = torch.zeros_like(v)
    for h in range(heads):
        own = slice(h * size, (h + 1) * size)
        for i in range(len(x)):
            scores = torch.zeros(len(x))
            for j in range(len(x)):
                hop = module.hop_table[module.hops[i, j], own]
                scores[j] = q[i, own] @ (k[j, own] + hop + e[j, own]) + module.edge_bias[h] @ e[j, own]
            weights = module.alpha * (scores / size**0.5).softmax(0) + module.outer[h, i]
            mixed[i, own] = weights @ v[:, own]
    return module.proj(mixed.T[None, :, :, None])[0, :, :, 0].T


def test_attention_equals_its_formula_joint_by_joint():
    torch.manual_seed(0)
    unit = wake(small()).units[1]
    x, e = torch.randn(2, 2, 3, 22, 12)  # 2 of (B, T, V, C)
    with torch.no_grad():
        mixed, _ = unit.attention(x, e)
        torch.testing.assert_close(mixed[1, 2], slow_attention(unit.attention, x[1, 2], e[1, 2]), rtol=1e-4, atol=1e-5)


def test_at_the_start_each_joint_is_alone():
    """alpha is 0 and O the identity: a joint that moves changes no other joint."""
    model, one = small().eval(), clips(1)
    other = one.clone()
    other[:, :, :, 7] += 1
    features = []
    model.units[-1].register_forward_hook(lambda _m, _i, output: features.append(output[0]))
    with torch.no_grad():
        model(one), model(other)
    changed = (features[0] - features[1]).abs().amax(dim=(0, 1, 2)) > 1e-6
    assert changed.nonzero().flatten().tolist() == [7]


@pytest.mark.parametrize("skeleton", [IMIGUE_22, SMG_25, COCO_17, OPENPOSE_137])
def test_hops_are_steps_along_the_limbs(skeleton):
    hops = hop_distances(skeleton)
    adjacent = np.zeros_like(hops)
    for a, b in skeleton.limbs:
        adjacent[a, b] = adjacent[b, a] = 1
    expected = np.where(np.eye(len(hops)), 0, -1)
    reached = np.eye(len(hops), dtype=int)
    for step in range(1, len(hops)):
        reached = (reached @ (adjacent + np.eye(len(hops), dtype=int)) > 0).astype(int)
        expected[(reached > 0) & (expected < 0)] = step
    np.testing.assert_array_equal(hops, expected)


def test_an_unconnected_skeleton_is_refused():
    loose = Skeleton("loose", ("hip", "knee", "hand"), limbs=((0, 1),), flip_pairs=(), center=0)
    with pytest.raises(InputError, match="no way along the limbs from hip to hand"):
        EHCT(loose, num_classes=2)


def test_each_joint_gets_the_mean_of_its_hyperedge():
    means = hyperedge_means(((0, 2), (1,)), 3)
    np.testing.assert_allclose(means @ np.array([1.0, 10.0, 3.0]), [2.0, 10.0, 2.0])
    for wrong in (((0, 1),), ((0, 1), (1, 2))):
        with pytest.raises(InputError, match="exactly one"):
            hyperedge_means(wrong, 3)


def test_a_width_that_does_not_divide_is_refused():
    with pytest.raises(InputError, match="a multiple of 12"):
        small(num_heads=3, head_dim=5)


FORMS = [{}, {"enhanced": True}, {"token_block": True}]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("skeleton", [IMIGUE_22, SMG_25, COCO_17])
def test_batch_mates_do_not_change_the_logits_of_a_clip(skeleton, form):
    model, batch = wake(small(skeleton, **form)).eval(), clips(joints=skeleton.num_joints)
    with torch.no_grad():
        together = model(batch)
        alone = torch.cat([model(clip[None]) for clip in batch])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 8])
def test_nobody_in_view_and_one_frame_give_finite_logits_and_gradients(frames, training, form):
    model = small(**form).train(training)
    batch = clips(frames=frames)
    batch[0] = 0
    logits = model(batch)
    logits.square().sum().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_every_parameter_learns():
    """Once alpha has left zero. In the enhanced form the second of three units takes over the first one's hyperedges;
    its own and the third's are not handed on."""
    unused = {"units.1.edge_proj.weight", "units.1.attention.beta", "units.2.attention.beta"}
    for form in FORMS:
        model = wake(small(**form))
        model(clips()).square().sum().backward()
        silent = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
        assert silent == (unused if form.get("enhanced") else set())


def test_people_are_averaged():
    model = wake(small(num_persons=2)).eval()
    batch = clips(persons=2)
    with torch.no_grad():
        both = model.encode(batch)
        one, other = (model.encode(batch[..., [i, i]]) for i in range(2))
    torch.testing.assert_close(both, (one + other) / 2, rtol=1e-4, atol=1e-5)


def test_mirroring_joints_and_their_parameters_changes_nothing():
    """Hops and hyperedges are their own mirror image; only O and the first normalisation know joints by number."""
    model, flip = wake(small()).eval(), torch.from_numpy(IMIGUE_22.flip_index)
    batch = clips()
    with torch.no_grad():
        before = model(batch)
        for unit in model.units:
            outer = unit.attention.outer
            outer.copy_(outer[:, flip][:, :, flip])
        after = model(batch[:, :, :, flip])
    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-5)


def test_eight_clips_can_be_learnt_by_heart():
    model, labels = small(num_classes=4), torch.arange(8) % 4
    batch = clips(batch=8)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(30):
        loss = nn.functional.cross_entropy(model(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    assert all(unit.attention.alpha.abs() > 1e-3 for unit in model.units)  # the attention has been turned on


def test_heads_are_what_part_training_may_retrain_alone():
    assert all(isinstance(getattr(small(), name), nn.Linear) for name in EHCT.HEADS)
