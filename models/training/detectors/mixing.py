# SPDX-License-Identifier: AGPL-3.0-or-later
"""A trained network mixed with the one it started from, weight by weight.

Training on a few cameras makes a network better there and lets it forget what it knew of all other
roads. The mean of both networks keeps nearly all of the one and gets most of the other back
(Wortsman et al. 2022, Robust fine-tuning of zero-shot models).
"""

from pathlib import Path
from typing import Any

# Any in this module: torch and ultralytics publish no types that mypy could check here.


def write_mixed(checkpoint: Path, target: Path, *, start: Any, start_share: float) -> None:  # noqa: ANN401 -- a torch module
    """Write a checkpoint whose weights are a mean of two networks'.

    Args:
        checkpoint: Finished training of the training library; trusted, for it was made here.
        target: File to write; an earlier one is replaced.
        start: The network that the training started from, of the same shape.
        start_share: Its share of every weight, 0 to 1. More keeps more of what was known
            before, less keeps more of what was learned.

    Raises:
        ValueError: The share lies outside 0 to 1.
    """
    if not 0.0 <= start_share <= 1.0:
        raise ValueError(f"a share lies in 0 to 1, got {start_share}")
    import torch  # noqa: PLC0415 -- training only

    kept = torch.load(str(checkpoint), map_location="cpu", weights_only=False)
    network = kept["model"].float()
    before = start.float().state_dict()
    network.load_state_dict(
        {
            name: _mean(before[name], learned, start_share=start_share)
            for name, learned in network.state_dict().items()
        }
    )
    kept["model"] = network.half()
    torch.save(kept, target)


def _mean(before: Any, learned: Any, *, start_share: float) -> Any:  # noqa: ANN401 -- torch tensors
    """Counters of batches are whole numbers and stay as they were learned."""
    if not learned.is_floating_point():
        return learned
    return start_share * before + (1.0 - start_share) * learned
