# SPDX-License-Identifier: AGPL-3.0-or-later
"""How many plates one core renders in a second. ``make bench-render``.

Rendering feeds the reader's training while it runs, so that it must not be what training waits
for. CPU time counts, not the clock on the wall, so that a busy machine does not spoil the figure.
"""

import platform
import statistics
import time
from typing import Final

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.datasets.synth.camera import photographed, random_severity
from models.datasets.synth.not_plates import random_not_plate
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.runtime.values import PlateLayout

TARGET_PER_S: Final = 300.0
HEIGHTS_PX: Final = {PlateLayout.ONE_LINE: 96, PlateLayout.TWO_LINE: 150}
"""As training draws plates before it photographs them."""

WARM_UP: Final = 2000
"""Plates drawn first: the punches' masks are kept, and training runs long enough to have them."""


def main(
    *,
    plates: int = typer.Option(2000, min=100, max=100_000, help="Plates per round."),
    rounds: int = typer.Option(3, min=1, max=20, help="Rounds; the median counts."),
) -> None:
    """Print plates per second of one core, and what drawing and photographing take."""
    cv2.setNumThreads(1)
    console = Console()
    with console.status("Warming up"):
        _round(seed=0, plates=WARM_UP)
    runs = [
        _round(seed=seed, plates=plates)
        for seed in track(range(1, rounds + 1), description="rounds", console=console)
    ]
    drawing, photographing, rejects = (
        statistics.median(run[part] for run in runs) for part in range(3)
    )
    per_s = 1 / (drawing + photographing)
    table = Table(title=f"Rendering on {platform.machine()}, {plates} plates a round")
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_row("plates per second and core", f"{per_s:.0f} (target {TARGET_PER_S:.0f})")
    table.add_row("drawing a plate", f"{drawing * 1000:.2f} ms")
    table.add_row("photographing it", f"{photographing * 1000:.2f} ms")
    table.add_row("a thing that is no plate", f"{rejects * 1000:.2f} ms")
    console.print(table)


def _round(*, seed: int, plates: int) -> tuple[float, float, float]:
    """CPU seconds for drawing, for photographing, and for a thing that is no plate."""
    rng = np.random.default_rng(seed)
    drawing = photographing = 0.0
    for _ in range(plates):
        started = time.process_time()
        spec = random_plate_spec(rng)
        plate = render_plate(spec, height_px=HEIGHTS_PX[spec.layout], rng=rng)
        drawn = time.process_time()
        photographed(plate, rng=rng, severity=random_severity(rng))
        drawing += drawn - started
        photographing += time.process_time() - drawn
    started = time.process_time()
    rejects = plates // 10
    for _ in range(rejects):
        random_not_plate(rng)
    return drawing / plates, photographing / plates, (time.process_time() - started) / rejects


if __name__ == "__main__":
    typer.run(main)
