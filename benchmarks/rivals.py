"""Networks of public repositories, taken from a checkout that the user has, to be timed beside ours.

Only their network files are imported. What these want of other packages and do not use here is stood in for by the few
lines below; mmcv's ConvModule is written out as what it computes: convolution, batch norm, ReLU in place.

    git clone https://github.com/kennymckormick/pyskl
    git clone https://github.com/stnoah1/infogcn              needs: pip install einops tqdm
    git clone https://github.com/ZhouYuxuanYX/Hyperformer
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from miga.errors import InputError

# Of each of NTU's 25 joints, the body part that it belongs to (config/nturgbd-cross-subject/joint.yaml).
HYPERFORMER_PARTS = [0, 4, 2, 2, 2, 2, 1, 1, 2, 2, 1, 1, 2, 3, 3, 3, 2, 3, 3, 3, 1, 0, 1, 0, 1]


class ConvModule(nn.Module):
    """What mmcv's module of that name computes for a 3D residual network."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size, stride=1, padding=0, bias=False, conv_cfg=None,
        norm_cfg=None, act_cfg=None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.conv = nn.Conv3d(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
        self.bn = nn.BatchNorm3d(out_channels)
        self.activate = nn.ReLU(inplace=True) if act_cfg else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.activate(self.bn(self.conv(x)))


class Registry:
    @staticmethod
    def register_module() -> Callable:
        return lambda own: own


def stand_in(name: str, **contents: object) -> None:
    """A module that has these contents and any submodules that are stood in for as well."""
    module = ModuleType(name)
    module.__path__ = []
    module.__dict__.update(contents)
    sys.modules[name] = module


def load(path: Path, name: str) -> ModuleType:
    """The module in a file, under a name of our choice."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.exists():
        raise InputError(f"{path}: not there; --rival is a folder with a checkout of the repository")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pyskl(folder: Path, num_channels: int, num_classes: int) -> nn.Module:
    """PoseC3D as configs/posec3d/slowonly_r50_ntu60_xsub/joint.py builds it; the head is that of SimpleHead."""

    def nothing(*args: object, **kwargs: object) -> None:
        """Of loading checkpoints and first weights."""

    stand_in("mmcv")
    stand_in(
        "mmcv.cnn", ConvModule=ConvModule, build_activation_layer=lambda config: nn.ReLU(inplace=True),
        constant_init=nothing, kaiming_init=nothing,
    )  # fmt: skip
    stand_in("mmcv.runner", _load_checkpoint=nothing, load_checkpoint=nothing)
    stand_in("mmcv.utils", _BatchNorm=_BatchNorm)
    stand_in("pyskl")
    stand_in("pyskl.utils", cache_checkpoint=nothing, get_root_logger=nothing)
    stand_in("pyskl.models")
    stand_in("pyskl.models.builder", BACKBONES=Registry)
    stand_in("pyskl.models.cnns")
    files = folder / "pyskl" / "models" / "cnns"
    load(files / "resnet3d.py", "pyskl.models.cnns.resnet3d")
    backbone = load(files / "resnet3d_slowonly.py", "pyskl.models.cnns.resnet3d_slowonly").ResNet3dSlowOnly(
        in_channels=num_channels, base_channels=32, num_stages=3, out_indices=(2,), stage_blocks=(4, 6, 3),
        conv1_stride=(1, 1), pool1_stride=(1, 1), inflate=(0, 1, 1), spatial_strides=(2, 2, 2),
        temporal_strides=(1, 1, 2),
    )  # fmt: skip
    head = nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(512, num_classes))
    return nn.Sequential(backbone, head)


class FirstOutput(nn.Module):
    """A network that puts out logits and something else, without the latter."""

    def __init__(self, network: nn.Module, *further: object) -> None:
        super().__init__()
        self.network, self.further = network, further

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x, *self.further)[0]


def infogcn(folder: Path, num_classes: int) -> nn.Module:
    """InfoGCN on NTU's 25 joints of one person."""
    network = imported(folder, "model.infogcn").InfoGCN(
        num_class=num_classes, num_point=25, num_person=1, graph="graph.ntu_rgb_d.Graph", k=1, noise_ratio=0.5
    )
    network.A_vector = network.A_vector.float()  # today's torch multiplies no double with float
    return FirstOutput(network)


def hyperformer(folder: Path, num_classes: int) -> nn.Module:
    """Hyperformer on NTU's 25 joints of one person."""
    model = imported(folder, "model.Hyperformer").Model(
        num_class=num_classes, num_point=25, num_person=1, graph="graph.ntu_rgb_d.Graph", joint_label=HYPERFORMER_PARTS
    )
    return FirstOutput(model, None)


def imported(folder: Path, name: str) -> ModuleType:
    """A module of a checkout whose folders are not a package of their own."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"{folder}: {name} cannot be imported ({error}); --rival is a folder with a checkout of the repository, "
            "whose own requirements have to be installed"
        ) from error
