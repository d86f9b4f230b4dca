# SPDX-License-Identifier: AGPL-3.0-or-later
"""The network that finds a plate's corners in its crop: a small CNN and one linear regression."""

from typing import Final

import torch
from torch import Tensor, nn

from models.training.plates.reader_network import Residual, conv_block, normalised_pictures

CORNER_VALUES: Final = 8
_FRAME: Final = (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0)
_CHANNELS: Final = (16, 32, 64)


class CornerNetwork(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Pictures of 48 x 96 pixels to four corners.

    It learns how far each corner lies from the crop's own, so that an
    untrained network already names the whole crop.
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third = _CHANNELS
        self.features = nn.Sequential(
            conv_block(3, first, stride=2),
            conv_block(first, second, stride=2),
            Residual(second),
            conv_block(second, third, stride=2),
            Residual(third),
        )
        self.regression = nn.Sequential(
            nn.Linear(third * 6 * 12, 96), nn.ReLU(inplace=True), nn.Linear(96, CORNER_VALUES)
        )
        self.register_buffer("frame", torch.tensor(_FRAME))

    def forward(self, pictures: Tensor) -> Tensor:
        """Find corners.

        Args:
            pictures: uint8, ``(n, 48, 96, 3)``, blue, green, red.

        Returns:
            ``(n, 8)``: x and y of the corners as shares of the crop, clockwise
            from the plate's own top left.
        """
        cells = self.features(normalised_pictures(pictures))
        return self.frame + self.regression(cells.flatten(1))
