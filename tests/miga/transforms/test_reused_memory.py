"""Memory is lent again when its last user is gone, and not before.

Run alone: python -m pytest tests/miga/transforms/test_reused_memory.py
"""

import threading

import pytest
import torch
from torch import nn

from miga.skeletons import IMIGUE_22
from miga.transforms.heatmap_input import heatmap_input
from miga.transforms.reused_memory import ReusedMemory

CPU = torch.device("cpu")


def test_the_same_memory_serves_one_tensor_after_another():
    memory = ReusedMemory()
    first = memory.empty((4, 5), CPU)
    assert first.dtype == torch.float32 and first.is_contiguous()
    address = first.data_ptr()
    del first
    smaller = memory.empty((3, 2), CPU)
    assert smaller.shape == (3, 2) and smaller.data_ptr() == address
    del smaller
    assert memory.empty((50, 5), CPU).shape == (50, 5)


@pytest.mark.parametrize(
    "use", [lambda tensor: tensor, lambda tensor: tensor[1:].permute(1, 0), lambda tensor: tensor.detach().numpy()[0]]
)
def test_memory_in_use_keeps_its_values(use):
    memory = ReusedMemory()
    user = use(memory.empty((4, 5), CPU).fill_(1))
    memory.empty((4, 5), CPU).fill_(2)
    memory.empty((4, 5), CPU).fill_(3)
    assert (user == 1).all()


def test_a_graph_keeps_its_input_until_its_backward_pass():
    memory = ReusedMemory()
    weight = torch.ones(5, requires_grad=True)
    losses, addresses = [], []
    for value in (1.0, 2.0):
        volume = memory.empty((5,), CPU).fill_(value)
        addresses.append(volume.data_ptr())
        losses.append((volume * weight).sum())
        del volume
    assert addresses[0] != addresses[1]
    sum(losses).backward()
    assert weight.grad.eq(3).all()
    assert memory.empty((5,), CPU).data_ptr() == addresses[1]


def test_training_steps_draw_into_the_same_memory():
    prepare = heatmap_input(IMIGUE_22, "joint", 16, 0.6)
    network = nn.Conv3d(22, 3, 3)
    addresses = set()
    network.register_forward_pre_hook(lambda _, inputs: addresses.add(inputs[0].data_ptr()))
    for _ in range(3):
        batch = {"keypoints": torch.rand(2, 1, 4, 22, 2) * 16, "scores": torch.rand(2, 1, 4, 22)}
        output = network(prepare(batch)["heatmaps"])
        output.square().mean().backward()
    assert len(addresses) == 1


def test_each_thread_has_memory_of_its_own():
    memory = ReusedMemory()
    address = memory.empty((1000,), CPU).data_ptr()
    other = []
    thread = threading.Thread(target=lambda: other.append(memory.empty((1000,), CPU)))
    thread.start()
    thread.join()
    assert other[0].data_ptr() != address
