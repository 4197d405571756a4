"""Video Swin Transformer: patches of 2 x 4 x 4 pixels, four stages of attention in shifted windows, a classifier.

Source: Video Swin Transformer (arXiv 2106.13230), section 3. The names of the modules give the key layout of the
public checkpoints (SwinTransformer/Video-Swin-Transformer).
"""

import torch
from torch import Tensor, nn

from models.video_swin.blocks import PatchEmbedding, Stage
from models.video_swin.windows import Size3


class VideoSwinBackbone(nn.Module):
    """Everything up to the features; the arguments are those of `VideoSwin`."""

    def __init__(
        self, embed_dim: int, depths: tuple[int, ...], num_heads: tuple[int, ...], window: Size3, drop_path: float,
        recompute: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.patch_embed = PatchEmbedding(embed_dim)
        rates = torch.linspace(0, drop_path, sum(depths), device="cpu").split(list(depths))
        self.layers = nn.Sequential(
            *(
                Stage(embed_dim * 2**i, window, heads, rates[i].tolist(), i == len(depths) - 1, recompute)
                for i, heads in enumerate(num_heads)
            )
        )
        self.out_channels = embed_dim * 2 ** (len(depths) - 1)
        self.norm = nn.LayerNorm(self.out_channels)

    def forward(self, rgb: Tensor) -> Tensor:
        return self.norm(self.layers(self.patch_embed(rgb)))  # (B, T / 2, H / 32, W / 32, C)


class Classifier(nn.Module):
    """Mean over space and time, dropout, one linear layer."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc_cls(self.dropout(x.mean(dim=(1, 2, 3))))  # (B, K)


class VideoSwin(nn.Module):
    """The recogniser: RGB clips to class logits.

    Args:
        num_classes: K.
        embed_dim: channels C of a token; each stage after the first doubles them.
        depths: blocks per stage.
        num_heads: attention heads per stage; each divides the stage's channels.
        window: tokens of a full window along time, height and width; published (8, 7, 7).
        drop_path: of the last block; it grows linearly from 0 at the first.
        dropout: share of pooled features dropped before the classifier while training.
        init_std: of the first weights of the linear layers; published 0.02, which is for hundreds of channels.
        recompute: the insides of blocks are not kept but computed again on the way back; see `blocks.Stage`.
    """

    HEADS = ("cls_head",)

    def __init__(
        self, num_classes: int, embed_dim: int = 96, depths: tuple[int, ...] = (2, 2, 6, 2),
        num_heads: tuple[int, ...] = (3, 6, 12, 24), window: Size3 = (8, 7, 7), drop_path: float = 0.1,
        dropout: float = 0.5, init_std: float = 0.02, recompute: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if len(depths) != len(num_heads):
            raise ValueError(f"depths {depths} and num_heads {num_heads} must have one entry per stage")
        wrong = [heads for i, heads in enumerate(num_heads) if embed_dim * 2**i % heads]
        if wrong:
            raise ValueError(f"num_heads {num_heads}: {wrong[0]} heads do not divide their stage's channels")
        self.backbone = VideoSwinBackbone(embed_dim, tuple(depths), tuple(num_heads), window, drop_path, recompute)
        self.cls_head = Classifier(self.backbone.out_channels, num_classes, dropout)
        self.reset_parameters(init_std)

    @torch.no_grad()
    def reset_parameters(self, std: float) -> None:
        """Start afresh: linear layers N(0, std) cut off at two, the classifier N(0, 0.01), biases zero."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=std)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.cls_head.fc_cls.weight, std=0.01)

    def forward(self, rgb: Tensor) -> Tensor:
        """Classify clips.

        Args:
            rgb: (B, 3, T, H, W) float, normalised as by `miga.transforms.rgb_clip.normalise`; any T, H and W.
        Returns:
            logits (B, K).
        """
        return self.cls_head(self.backbone(rgb))
