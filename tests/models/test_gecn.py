"""GE-CN against the public InfoGCN's numbers, and its properties. Alone: `python -m pytest tests/models/test_gecn.py`.

The golden numbers come from stnoah1/infogcn (commit 873feaa) run in eval mode with our 22-joint tree, k = 1, one person
and 32 classes; every weight, bias and running statistic is filled by `formula_value` from its public key and shape, the
input by `formula_input`. To renew them, run that repository so and print the same entries.
"""

import numpy as np
import pytest
import torch
from torch import nn

from miga.errors import InputError
from miga.skeletons import COCO_17, IMIGUE_22, SMG_25
from models.gecn.blocks import GraphConv
from models.gecn.model import GECN, mode_matrix, normalised_adjacency
from models.layers.multiscale_temporal import MultiScaleTemporal

GOLDEN_LOGITS = [[-15.7771, -3.792263, -1.83854, -6.557385], [-15.830418, -3.765154, -1.867656, -6.569234]]
GOLDEN_Z = [[-24.189737, -4.650887, 0.733003, 23.374792], [-24.218161, -4.654232, 0.739476, 23.498957]]


def formula_value(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A value for every entry of a tensor, from its name and shape alone; the sizes keep activations near one."""
    number = torch.arange(int(np.prod(shape)), dtype=torch.int64)
    seed = sum((place + 1) * ord(letter) for place, letter in enumerate(key))
    noise = ((31 * number * number + 17 * number + seed) % 1009).reshape(shape).double() / 504.5 - 1  # [-1, 1)
    if key.endswith("running_var"):
        value = 1 + 0.5 * noise
    elif key.endswith("running_mean") or key.endswith("bias"):
        value = 0.1 * noise
    elif len(shape) == 1:  # the scale of a normalisation
        value = 1 + 0.3 * noise
    elif len(shape) == 3:  # position embedding and topology
        value = noise
    else:
        value = noise * (3 / np.prod(shape[1:])) ** 0.5
    return value.float()


def formula_input(batch: int = 2, frames: int = 64, joints: int = 22) -> torch.Tensor:
    b, c, t, v = torch.meshgrid(*(torch.arange(n).double() for n in (batch, 3, frames, joints)), indexing="ij")
    return (0.5 * torch.sin(0.3 * t + 1.1 * v + 0.7 * c + 2 * b)).float()[..., None]


def public_parts(key: str, shape: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """The public keys and shapes whose concatenation (or stack) is our entry `key` of this shape."""
    block, _, rest = key.partition(".")
    heads = 3
    if rest == "agcn.topology":
        return [(f"{block}.agcn.shared_topology", shape)]
    if rest == "agcn.weight":
        return [(f"{block}.agcn.conv_d.{h}.weight", (shape[0], shape[1] // heads, 1, 1)) for h in range(heads)]
    if rest == "agcn.bias":
        return [(f"{block}.agcn.conv_d.{h}.bias", shape[1:]) for h in range(heads)]
    if rest.startswith("residual."):
        return [(key.replace("residual.0", "residual.conv").replace("residual.1", "residual.bn"), shape)]
    if not rest.startswith("tcn."):
        return [(key, shape)]
    branches, (module, *_, kind) = f"{block}.tcn.branches", rest.split(".")[1:]
    if module == "convs":
        return [(f"{branches}.{rest.split('.')[2]}.3.conv.{kind}", shape)]
    if module == "point":
        return [(f"{branches}.3.0.{kind}", shape)]
    ends = {"enter": ("0.0", "1.0", "2.0"), "enter_bn": ("0.1", "1.1", "2.1")}
    ends["bn"] = ("0.3.bn", "1.3.bn", "2.4", "3.1")
    part = (shape[0] // len(ends[module]), *shape[1:])
    return [(f"{branches}.{end}.{kind}", part) for end in ends[module]]


def fill_by_formula(model: nn.Module) -> nn.Module:
    state = model.state_dict()
    for key, old in state.items():
        if key.endswith("num_batches_tracked"):
            continue
        values = [formula_value(*part) for part in public_parts(key, tuple(old.shape))]
        if key.endswith("agcn.weight"):
            state[key] = torch.cat([value.flatten(1) for value in values], dim=1)
        else:
            state[key] = torch.stack(values) if key.endswith("agcn.bias") else torch.cat(values)
    model.load_state_dict(state)
    return model.eval()


def small(skeleton=IMIGUE_22, **changes) -> GECN:
    torch.manual_seed(0)
    return GECN(skeleton, **{"num_classes": 5, "width": 8, **changes})


def clips(batch: int = 3, frames: int = 16, joints: int = 22, persons: int = 1) -> torch.Tensor:
    return torch.randn(batch, 3, frames, joints, persons, generator=torch.Generator().manual_seed(1))


def test_the_public_network_gives_the_same_numbers():
    model = fill_by_formula(GECN(IMIGUE_22, num_classes=32))
    with torch.no_grad():
        outputs = model(formula_input())
    torch.testing.assert_close(outputs["logits"][:, :4], torch.tensor(GOLDEN_LOGITS), rtol=0, atol=1e-4)
    torch.testing.assert_close(outputs["z"][:, :4], torch.tensor(GOLDEN_Z), rtol=0, atol=1e-4)


def test_parameters_and_shapes_at_the_published_size():
    model = GECN(IMIGUE_22, num_classes=32)
    assert sum(parameter.numel() for parameter in model.parameters()) == 1_542_028
    features = []
    for name in ("l3", "l6", "l9"):
        getattr(model, name).register_forward_hook(lambda _m, _i, y: features.append(tuple(y.shape)))
    with torch.no_grad():
        outputs = model.eval()(formula_input())
    assert features == [(2, 64, 64, 22), (2, 128, 32, 22), (2, 256, 16, 22)]
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "logits": (2, 32), "z": (2, 256), "mu": (2, 256), "logvar": (2, 256),
    }  # fmt: skip


@pytest.mark.parametrize(("k", "total"), [(1, 43), (5, 22)])
def test_mode_matrix_sums(k, total):
    assert np.abs(mode_matrix(IMIGUE_22, k)).sum() == total


def test_mode_one_is_bones_and_a_deep_mode_is_joints():
    joints = np.random.default_rng(0).normal(size=(25, 3)).astype(np.float32)
    bones = mode_matrix(SMG_25, 1) @ joints
    for child, parent in enumerate(SMG_25.parents):
        expected = joints[child] - (joints[parent] if child != SMG_25.center else 0)
        np.testing.assert_allclose(bones[child], expected, atol=1e-6)
    np.testing.assert_array_equal(mode_matrix(SMG_25, 25), np.eye(25, dtype=np.float32))


def test_mode_zero_is_refused():
    with pytest.raises(InputError, match="k must be at least 1"):
        GECN(IMIGUE_22, num_classes=5, k=0)


@pytest.mark.parametrize("skeleton", [IMIGUE_22, SMG_25, COCO_17])
def test_batch_mates_do_not_change_the_logits_of_a_clip(skeleton):
    model, batch = small(skeleton).eval(), clips(joints=skeleton.num_joints)
    with torch.no_grad():
        together = model(batch)["logits"]
        alone = torch.cat([model(clip[None])["logits"] for clip in batch])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 16])
def test_nobody_in_view_and_one_frame_give_finite_logits_and_gradients(frames, training):
    model = small().train(training)
    batch = clips(frames=frames)
    batch[0] = 0
    logits = model(batch)["logits"]
    logits.square().sum().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_z_is_the_mean_in_eval_and_noisy_in_training():
    model, batch = small(), clips()
    outputs = model.eval()(batch)
    assert torch.equal(outputs["z"], outputs["mu"])
    model.train()
    noises = [(outputs["z"] - outputs["mu"]) / (0.5 * outputs["logvar"]).exp() for outputs in map(model, [batch] * 40)]
    noise = torch.stack(noises).flatten()
    assert noise.mean().abs() < 0.1 and (noise.std() - 1).abs() < 0.1


def test_people_are_averaged_and_their_order_is_theirs():
    model = small(num_persons=2).eval()
    batch = clips(persons=2)
    with torch.no_grad():
        both = model.encode(batch)
        one, other = (model.encode(batch[..., [i, i]]) for i in range(2))
    torch.testing.assert_close(both, (one + other) / 2, rtol=1e-4, atol=1e-5)


def test_mirroring_joints_and_their_parameters_changes_nothing():
    """No joint is treated by its number, and the tree is its own mirror image under flip_index."""
    model, flip = small().eval(), torch.from_numpy(IMIGUE_22.flip_index)
    batch = clips()
    with torch.no_grad():
        for block in (getattr(model, f"l{i}") for i in range(1, 10)):
            block.agcn.topology.add_(0.3 * torch.randn(block.agcn.topology.shape))
            block.agcn.bn.weight.fill_(1.0)
        before = model(batch)["logits"]
        model.pos_embedding.copy_(model.pos_embedding[:, flip])
        for i in range(1, 10):
            topology = getattr(model, f"l{i}").agcn.topology
            topology.copy_(topology[:, flip][:, :, flip])
        after = model(batch[:, :, :, flip])["logits"]
    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-5)


def slow_temporal(module: MultiScaleTemporal, x: torch.Tensor) -> torch.Tensor:
    """The four branches one by one, each with its own share of the joined layers."""
    outputs = []
    size = module.branch_channels
    for branch in range(4):
        own = slice(branch * size, (branch + 1) * size)
        if branch < 3:
            y = nn.functional.conv2d(x, module.enter.weight[own], module.enter.bias[own])
            y = nn.functional.relu(norm(y, module.enter_bn, own))
            if branch < 2:
                conv = module.convs[branch]
                reach = 2 * (branch + 1)
                y = nn.functional.conv2d(
                    y, conv.weight, conv.bias, (module.stride, 1), (reach, 0), dilation=(branch + 1, 1)
                )
            else:
                y = nn.functional.max_pool2d(y, (3, 1), (module.stride, 1), (1, 0))
        else:
            y = nn.functional.conv2d(x, module.point.weight, module.point.bias, (module.stride, 1))
        outputs.append(norm(y, module.bn, own))
    return torch.cat(outputs, dim=1)


def norm(x: torch.Tensor, bn: nn.BatchNorm2d, own: slice) -> torch.Tensor:
    mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
    shape = (1, -1, 1, 1)
    return (x - mean) / (var + bn.eps).sqrt() * bn.weight[own].view(shape) + bn.bias[own].view(shape)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("frames", [1, 7, 16])
def test_the_joined_temporal_branches_equal_separate_ones(stride, frames):
    torch.manual_seed(0)
    module = MultiScaleTemporal(6, 8, stride)
    nn.init.normal_(module.bn.weight)
    nn.init.normal_(module.enter_bn.bias)
    x = torch.randn(2, 6, frames, 4)
    torch.testing.assert_close(module(x), slow_temporal(module, x), rtol=1e-4, atol=1e-5)
    assert module(x).shape == (2, 8, -(-frames // stride), 4)


def test_the_network_starts_as_its_shortcuts():
    """The scale 1e-6 of the graph branch: at the start a block is its temporal branch and its shortcut."""
    model = small().eval()
    with torch.no_grad():
        x = torch.randn(2, 8, 16, 22).relu()
        torch.testing.assert_close(model.l1.agcn(x), x, atol=1e-4, rtol=1e-4)


def test_its_heads_are_what_depends_on_the_number_of_classes():
    few, many = (GECN(IMIGUE_22, k, width=8).state_dict() for k in (3, 5))
    differ = {key for key in few if few[key].shape != many[key].shape}
    assert differ == {key for key in few if key.startswith(tuple(f"{head}." for head in GECN.HEADS))}


def test_without_attention_a_joint_hears_its_neighbours_alone():
    """Equation 2, one joint at a time; the adjacency is fixed and no part of the weights."""
    adjacency = torch.from_numpy(normalised_adjacency(IMIGUE_22))
    torch.manual_seed(0)
    conv = GraphConv(8, 8, 22, 3, 1.0, adjacency).eval()
    nn.init.ones_(conv.bn.weight)
    assert [name for name, _ in conv.named_parameters() if "attn" in name or "topology" in name] == []
    x = torch.randn(1, 8, 2, 22)
    with torch.no_grad():
        out = conv(x)
        neighbours = {a: {a} for a in range(22)}
        for a, b in IMIGUE_22.limbs:
            neighbours[a].add(b)
            neighbours[b].add(a)
        for joint in range(22):
            heard = sum(
                x[0, :, 1, other] / (len(neighbours[joint]) * len(neighbours[other])) ** 0.5
                for other in neighbours[joint]
            )
            expected = (conv.weight @ heard + conv.bias.sum(0)) / (1 + conv.bn.eps) ** 0.5 + x[0, :, 1, joint]
            torch.testing.assert_close(out[0, :, 1, joint], expected.relu(), rtol=1e-4, atol=1e-4)
    plain, ours = small(attention=False), small()
    assert sum(p.numel() for p in plain.parameters()) < sum(p.numel() for p in ours.parameters())
