"""Training a network's classifier alone: the rest of it neither learns nor moves its batch statistics."""

from torch import nn


def head_names(model: nn.Module) -> tuple[str, ...]:
    """The submodules that classify, as the network's class states them in HEADS.

    Raises:
        ValueError: it states none, or one that is not there.
    """
    names = tuple(getattr(model, "HEADS", ()))
    modules = dict(model.named_modules())
    unknown = [name for name in names if name not in modules]
    if not names or unknown:
        raise ValueError(f"{type(model).__name__}.HEADS = {names}: expected names of its submodules")
    return names


def freeze_all_but_heads(model: nn.Module) -> None:
    """Only the parameters of HEADS ask for gradients."""
    inside = tuple(f"{name}." for name in head_names(model))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(inside))


def heads_in_train_mode(model: nn.Module) -> None:
    """HEADS, and what contains them, in training mode; all other modules as at test, so features are those of test.

    What contains a head stays in training mode because networks return what their loss needs in that mode only.
    """
    names = head_names(model)
    for name, module in model.named_modules():
        contains = not name or any(head == name or head.startswith(f"{name}.") for head in names)
        module.training = contains or name.startswith(tuple(f"{head}." for head in names))
