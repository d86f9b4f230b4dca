# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs in the peers' own environment: a picture's path in, what the peers see out, a line each.

fastanpr's shipped detector finds plates as its own package uses it (``YOLO(best.pt).predict``);
RapidOCR reads what was cut out. One thread each.
"""

import importlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["YOLO_OFFLINE"] = "True"
os.environ["YOLO_CONFIG_DIR"] = str(Path(sys.prefix) / "settings")
Path(os.environ["YOLO_CONFIG_DIR"]).mkdir(exist_ok=True)

import cv2  # noqa: E402 -- threads are set first
import torch  # noqa: E402 -- the same
from rapidocr import RapidOCR  # noqa: E402 -- the same
from ultralytics import YOLO  # noqa: E402 -- the same

from models.training.detectors.library_fixes import define_torchvision_operators  # noqa: E402 -- the same


def main() -> None:
    """Answer every line of the standard input until it ends."""
    torch.set_num_threads(1)
    _let_torchvision_run()
    cv2.setNumThreads(1)
    detector = YOLO(str(_detector_weights()))
    reader = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the libraries' own messages must not stand between the answers
    for line in sys.stdin:
        task = json.loads(line)
        image = cv2.imread(task["path"], cv2.IMREAD_COLOR)
        started_s = time.process_time()
        crops = [([0, 0, 0, 0], 1.0, image)] if task["is_crop"] else _found(detector, image)
        plates = [
            {"box": box, "conf": confidence, "lines": _read(reader, crop)}
            for box, confidence, crop in crops
        ]
        cpu_ms = (time.process_time() - started_s) * 1000
        answers.write(json.dumps({"plates": plates, "cpu_ms": cpu_ms}) + "\n")
        answers.flush()


def _let_torchvision_run() -> None:
    """Its build for a graphics card lacks the operators; the library's own stand in for them."""
    define_torchvision_operators()
    extension = importlib.import_module("torchvision.extension")
    vars(extension)["_has_ops"] = lambda: True


def _detector_weights() -> Path:
    # The package's own import asks for PaddleOCR, which is not installed here.
    spec = importlib.util.find_spec("fastanpr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("fastanpr is not installed in this environment")
    return Path(spec.submodule_search_locations[0]) / "best.pt"


# The libraries publish no types; each of these is one of theirs.
def _found(detector: Any, image: Any) -> list[tuple[list[int], float, Any]]:  # noqa: ANN401
    """Boxes as fastanpr's Detector makes them: whole pixels, cut without a margin."""
    boxes = detector.predict(image, device="cpu", verbose=False)[0].boxes
    found = []
    for box, confidence in zip(boxes.xyxy.int().tolist(), boxes.conf.tolist(), strict=True):
        x_min, y_min, x_max, y_max = box
        if x_max > x_min and y_max > y_min:
            found.append((box, confidence, image[y_min:y_max, x_min:x_max]))
    return found


def _read(reader: Any, crop: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Lines of a crop; where its search for lines finds none, the crop is read as one line."""
    result = reader(crop, use_det=True, use_cls=True, use_rec=True)
    if result.txts is not None and result.boxes is not None:
        return [
            {"text": text, "score": float(score), "box": box.tolist()}
            for text, score, box in zip(result.txts, result.scores, result.boxes, strict=True)
        ]
    single = reader(crop, use_det=False, use_cls=False, use_rec=True)
    height, width = crop.shape[:2]
    whole = [[0, 0], [width, 0], [width, height], [0, height]]
    return [
        {"text": text, "score": float(score), "box": whole}
        for text, score in zip(single.txts or (), single.scores or (), strict=True)
    ]


if __name__ == "__main__":
    main()
