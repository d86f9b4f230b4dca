# SPDX-License-Identifier: AGPL-3.0-or-later
"""How many frames one device analyses in a second, and in how much memory. ``make bench-edge``.

A gate camera of 1080p on the project's rendered road, played as fast as possible by the command
that a device runs, one analysing thread; decoding, detection, reading, evidence and JPEG included.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.datasets.synth.road.plan import LENS, demo_plan
from models.datasets.synth.scene_video import write_clip

SCALE: Final = 1.5
"""From the demonstration's 1280x720 to 1920x1080."""
TARGET_FPS: Final = 10.0
TIMEOUT_S: Final = 900.0


def main(
    *,
    vehicles: int = typer.Option(8, min=1, max=100, help="Vehicles on the rendered road."),
    rounds: int = typer.Option(3, min=1, max=20, help="Rounds; the median counts."),
) -> None:
    """Print analysed frames per second, CPU per frame and resident memory."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="lt-bench-") as name:
        clip = Path(name) / "road.mp4"
        lens = replace(
            LENS,
            width_px=round(LENS.width_px * SCALE),
            height_px=round(LENS.height_px * SCALE),
            focal_px=LENS.focal_px * SCALE,
            horizon_px=LENS.horizon_px * SCALE,
        )
        with console.status("Rendering the road"):
            write_clip(demo_plan(vehicle_count=vehicles, seed=20, lens=lens), clip)
        runs = [
            _replay(clip, Path(name) / "events.jsonl")
            for _ in track(range(rounds), description="rounds", console=console)
        ]
    _show(console, runs, vehicles=vehicles)


def _replay(clip: Path, events: Path) -> dict[str, float]:
    """One run of the command: frames per second, CPU, memory and passages."""
    command = (
        *(sys.executable, "-m", "edge", "replay", str(clip), "--mode", "gate"),
        *("--events", str(events)),
    )
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    output = process.stdout.read() if process.stdout is not None else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or time.monotonic() - started > TIMEOUT_S:
        raise RuntimeError(f"the replay ended with {process.returncode}")
    found = re.search(r"in (\d+) frames \(([\d.]+) s, ([\d.]+) frames/s\)", output)
    if found is None:
        raise RuntimeError("the replay said nothing of frames")
    frames = int(found[1])
    return {
        "frames per second": float(found[3]),
        "CPU per frame, ms": 1000 * (usage.ru_utime + usage.ru_stime) / frames,
        "resident memory, MB": usage.ru_maxrss / 1000,
        "passages": float(len([json.loads(line) for line in events.read_text().splitlines()])),
    }


def _show(console: Console, runs: list[dict[str, float]], *, vehicles: int) -> None:
    table = Table(
        title=f"gate camera 1920x1080, one thread, {platform.machine()}, {len(runs)} runs"
    )
    for heading in ("", "median", "least", "most"):
        table.add_column(heading, justify="right" if heading else "left")
    for name in runs[0]:
        values = [run[name] for run in runs]
        figures = (statistics.median(values), min(values), max(values))
        table.add_row(name, *(f"{figure:,.1f}" for figure in figures))
    rate = statistics.median(run["frames per second"] for run in runs)
    console.print(table)
    console.print(f"{vehicles} vehicles were shown.")
    console.print(f"Cameras of {TARGET_FPS:.0f} frames/s per thread: {rate / TARGET_FPS:.1f}")


if __name__ == "__main__":
    typer.run(main)
