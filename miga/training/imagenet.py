"""ImageNet weights of a timm network, for the profiles that start from them as the papers do."""

from torch import Tensor

import miga.training.torchvision_schemas  # noqa: F401, must come before timm
from miga.errors import InputError


def imagenet_tensors(name: str, file_option: str = "--weights") -> dict[str, Tensor]:
    """The state dict that timm keeps under `name`, downloaded once and then read from timm's own cache.

    Args:
        name: of the network and its weights, such as `swin_tiny_patch4_window7_224.ms_in1k`.
        file_option: the option of the calling command that takes a file of such weights, for the message.
    Raises:
        InputError: it is not in the cache and cannot be downloaded.
    """
    import timm  # takes two seconds, which only those who start from ImageNet shall pay

    try:
        return timm.create_model(name, pretrained=True).state_dict()
    except OSError as error:  # no network; huggingface_hub's and urllib's errors are OSErrors
        raise InputError(
            f"the ImageNet weights {name} could not be downloaded ({type(error).__name__}); connect to the network, "
            f"give a file of them with {file_option} FILE, or start from scratch with --pretrained none"
        ) from error
