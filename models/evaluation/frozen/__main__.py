# SPDX-License-Identifier: AGPL-3.0-or-later
"""Draws the frozen pictures anew; the baseline must be written again afterwards."""

from models.evaluation.frozen.pictures import FROZEN_FOLDER, make_frozen

if __name__ == "__main__":
    size = make_frozen()
    print(  # noqa: T201 -- a script's result
        f"{FROZEN_FOLDER.name}: {size / 1e6:.2f} MB;"
        " next: luuthong-models evaluate --write-baseline"
    )
