# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plate reader's network: a small CNN whose map is asked by one query per character.

Learned slot queries with cross-attention follow DETR (Carion et al., 2020); the normalisation of
each picture by its own mean and deviation makes night pictures look like day to the first layer.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.runtime.plate_formats import ALPHABET

SLOTS: Final = 10
CLASSES: Final = len(ALPHABET) + 1
BLANK: Final = len(ALPHABET)
LAYOUTS: Final = 2
COLOURS: Final = 4
_HEADS: Final = 4


def normalised_pictures(pictures: Tensor) -> Tensor:
    """Channels first, each picture with its own mean at 0 and deviation at about 1.

    Args:
        pictures: uint8, ``(n, height, width, 3)``.
    """
    x = pictures.permute(0, 3, 1, 2).float()
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    deviation = (x - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return (x - mean) / (deviation + 4.0)


def conv_block(channels_in: int, channels_out: int, *, stride: int = 1) -> nn.Sequential:
    """Convolution of 3 x 3, normalisation, rectifier."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Two convolutions beside a short cut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv_block(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return functional.relu(x + self.second(self.first(x)))


class _Attention(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Attention written out, so that its ONNX graph is plain matrix products."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """``queries`` (n, q, width) look at ``memory`` (n, m, width)."""
        n, q, width = queries.shape
        depth = width // _HEADS
        query = self.query(queries).reshape(n, q, _HEADS, depth).transpose(1, 2)
        key, value = self.key_value(memory).chunk(2, dim=-1)
        key = key.reshape(n, -1, _HEADS, depth).permute(0, 2, 3, 1)
        value = value.reshape(n, -1, _HEADS, depth).transpose(1, 2)
        weights = torch.softmax(query @ key * depth**-0.5, dim=-1)
        return self.out((weights @ value).transpose(1, 2).reshape(n, q, width))


class _Decoder(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Slots look at each other, then at the picture, then think."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(3)])
        self.among, self.across = _Attention(width), _Attention(width)
        self.think = nn.Sequential(
            nn.Linear(width, 2 * width), nn.ReLU(inplace=True), nn.Linear(2 * width, width)
        )

    def forward(self, slots: Tensor, memory: Tensor) -> Tensor:
        """Refine ``slots`` (n, slots, width) by ``memory`` (n, cells, width)."""
        looked = self.norms[0](slots)
        slots = slots + self.among(looked, looked)
        slots = slots + self.across(self.norms[1](slots), memory)
        return slots + self.think(self.norms[2](slots))


class ReaderNetwork(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Flattened plates to slot logits, layout, colour, legibility and genuineness.

    Args:
        width: Channels of the last map and of the slots.
        cells: Rows and columns of the last map: an eighth of the input.
    """

    def __init__(self, *, width: int = 128, cells: tuple[int, int] = (8, 24)) -> None:
        super().__init__()
        self.features = nn.Sequential(
            conv_block(3, 24, stride=2),
            conv_block(24, 48, stride=2),
            Residual(48),
            conv_block(48, width, stride=2),
            Residual(width),
            Residual(width),
        )
        self.place = nn.Parameter(torch.randn(1, cells[0] * cells[1], width) * 0.02)
        self.norm = nn.LayerNorm(width)
        self.slots = nn.Parameter(torch.randn(1, SLOTS, width) * 0.5)
        self.decoders = nn.ModuleList([_Decoder(width) for _ in range(2)])
        self.final = nn.LayerNorm(width)
        self.characters = nn.Linear(width, CLASSES)
        self.scene = nn.Linear(width, LAYOUTS + COLOURS + 2)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Read a batch.

        Args:
            pictures: uint8, ``(n, height, width, 3)``, blue, green, red.

        Returns:
            Logits: characters ``(n, slots, classes)``, layout ``(n, 2)``,
            colour ``(n, 4)``, legibility ``(n,)``, genuineness ``(n,)``: that
            the picture shows a Vietnamese plate at all.
        """
        cells = self.features(normalised_pictures(pictures)).flatten(2).transpose(1, 2)
        memory = self.norm(cells + self.place)
        slots = self.slots.expand(pictures.shape[0], -1, -1)
        for decoder in self.decoders:
            slots = decoder(slots, memory)
        characters = self.characters(self.final(slots))
        scene = self.scene(cells.mean(dim=1))
        return (
            characters,
            scene[:, :LAYOUTS],
            scene[:, LAYOUTS : LAYOUTS + COLOURS],
            scene[:, -2],
            scene[:, -1],
        )
