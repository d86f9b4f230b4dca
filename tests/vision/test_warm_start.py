# SPDX-License-Identifier: AGPL-3.0-or-later
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from models.datasets.pool import PROJECT_FOLDER
from models.training.environment import MAKE_COMMAND, environment_python

pytestmark = pytest.mark.vision

MEASURE = """
import json, sys
from pathlib import Path
from models.training.environment import quieten_library
pool = Path(sys.argv[1])
quieten_library(Path(sys.argv[2]))
import numpy as np
import torch
from models.training.detectors import warm_start
from ultralytics.nn.tasks import DetectionModel
torch.set_num_threads(1)
pictures = sorted((pool / "vehicles" / "images").glob("*.jpg"))[:4]
model = DetectionModel("yolov8n.yaml", nc=80, verbose=False)
with np.load(pool / warm_start.COCO_FILE) as weights:
    warm_start._load_folded(model, dict(weights))
batch = torch.rand(1, 3, 128, 128)
norm = model.model[0].bn
with torch.no_grad():
    before = model.eval()(batch)[0]
    warm_start._unfold_normalisation(model, pictures)
    after = model.eval()(batch)[0]
    warm_start._keep_classes(model, warm_start.COCO_VEHICLE_IDS)
    cut = model(batch)[0]
chosen = [0, 1, 2, 3] + [4 + number for number in warm_start.COCO_VEHICLE_IDS]
print(json.dumps({
    "unfolded": float((after - before).abs().max()),
    "variance": float(norm.running_var.std()),
    "classes": float((cut - after[:, chosen]).abs().max()),
    "shape": list(cut.shape[:2]),
}))
"""


MIX = """
import json, sys
from pathlib import Path
from models.training.environment import quieten_library
folder = Path(sys.argv[1])
quieten_library(folder)
import torch
from models.training.detectors.mixing import write_mixed
from ultralytics.nn.tasks import DetectionModel, load_checkpoint
start = DetectionModel("yolov8n.yaml", nc=4, verbose=False)
learned = DetectionModel("yolov8n.yaml", nc=4, verbose=False)
weight = "model.0.conv.weight"
checkpoint = {"model": learned.half(), "ema": None, "train_args": {}}
torch.save(checkpoint, folder / "last.pt")
measured = {}
for share in (0.0, 0.25, 1.0):
    write_mixed(folder / "last.pt", folder / "mixed.pt", start=start, start_share=share)
    mixed = load_checkpoint(str(folder / "mixed.pt"))[0].float().state_dict()[weight]
    wanted = share * start.state_dict()[weight] + (1 - share) * learned.float().state_dict()[weight]
    measured[str(share)] = float((mixed - wanted).abs().max())
print(json.dumps(measured))
"""


def run_apart(program: str, *arguments: Path) -> dict[str, Any]:
    """What a program prints as JSON in the training environment, which tests don't run in."""
    python = environment_python()
    if python is None:
        pytest.skip(f"the training environment is not here; make it with: {MAKE_COMMAND}")
    finished = subprocess.run(
        [str(python), "-c", program, *map(str, arguments)],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    printed: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return printed


def test_unfolding_the_normalisation_changes_nothing_but_what_training_needs(
    shared_data: Path, tmp_path: Path
) -> None:
    measured = run_apart(MEASURE, shared_data, tmp_path)

    assert measured["unfolded"] < 0.05  # boxes are hundreds of pixels, scores up to 1
    assert measured["variance"] > 0  # real statistics, not the ones of folded weights
    assert measured["classes"] < 1e-3
    assert measured["shape"] == [1, 8]


def test_mixed_weights_are_the_mean_of_both_networks(tmp_path: Path) -> None:
    measured = run_apart(MIX, tmp_path)

    assert max(measured.values()) < 1e-3  # kept in 16 bits
