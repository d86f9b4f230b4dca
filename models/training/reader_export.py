# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a checkpoint to the released reader: ONNX, proof of equal output, calibration, registry."""

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from models.datasets.pool import DEFAULT_POOL_FOLDER, require_pool
from models.datasets.splits import Split
from models.errors import ModelFormatError, ModelRegistryError
from models.runtime.plate_formats import ALPHABET, MAX_PLATE_LENGTH
from models.runtime.reader import OUTPUTS
from models.runtime.reader_input import READER_HEIGHT_PX, READER_WIDTH_PX, prepare_crops
from models.runtime.registry import (
    MAX_MODEL_BYTES,
    MODELS_FOLDER,
    PLATE_READER,
    REGISTRY_FILE,
    WEIGHTS_FOLDER,
)
from models.runtime.sessions import open_session
from models.runtime.values import Backend
from models.training.reader_calibration import Calibration, calibrate
from models.training.reader_data import COLOURS, LAYOUTS, RealCrop, load_real_crops
from models.training.reader_network import ReaderNetwork
from models.training.reader_train import CHECKPOINT_FILE, RUN_FOLDER
from models.training.release import enter_release

OPSET: Final = 17
MAX_LOGIT_DIFFERENCE: Final = 0.02
_CALIBRATION_SEED: Final = 20
_COMPARED: Final = 16
_ENTRY: Final = """
[models.plate-reader]
version = "0.0.0"
file = "plate-reader.onnx"
sha256 = ""
size_bytes = 0
licence = "AGPL-3.0-or-later"

[models.plate-reader.config]
alphabet = "{alphabet}"
slots = {slots}
input_height_px = {height}
input_width_px = {width}
colour_order = "bgr"
layouts = [{layouts}]
colours = [{colours}]
temperature = 1.0
doubt = 0.001
"""


def release_reader(
    *, version: str, pool: Path = DEFAULT_POOL_FOLDER, run_folder: Path = RUN_FOLDER
) -> tuple[str, ...]:
    """Export the last checkpoint, compare, calibrate and enter it in the registry.

    Args:
        version: Of the weights, as ``1.2.3``.
        pool: Folder of real pictures.
        run_folder: Folder of the training run.

    Returns:
        Lines for people: differences between the backends, the calibration, the digest.

    Raises:
        ModelFormatError: A backend gives other numbers than torch, or the file is too large.
    """
    network, step = load_average(run_folder / CHECKPOINT_FILE)
    target = MODELS_FOLDER / WEIGHTS_FOLDER / "plate-reader.onnx"
    export_reader(network, target)
    crops = load_real_crops(require_pool(pool), Split.VALIDATION)
    lines = [f"step {step}, {target.stat().st_size / 1e6:.1f} MB"]
    lines += compare_reader(network, target, crops[:_COMPARED])
    fitted = calibrate(open_session(target), calibration_crops(crops), seed=_CALIBRATION_SEED)
    lines.append(
        f"temperature {fitted.temperature}, doubt {fitted.doubt}, log loss {fitted.log_loss:.4f}, "
        f"calibration error {fitted.error:.4f} on {fitted.plates} pictures"
    )
    enter_calibration(fitted)
    lines.append(enter_release(PLATE_READER, version=version))
    return tuple(lines)


def calibration_crops(crops: tuple[RealCrop, ...]) -> tuple[RealCrop, ...]:
    """The half of the validation plates that calibrates; by plate, never by picture."""
    return tuple(crop for crop in crops if is_for_calibration(crop.group))


def is_for_calibration(group: str) -> bool:
    """Whether a validation plate calibrates; the others only measure."""
    digits = int(re.sub(r"\D", "", group) or 0)
    return digits % 2 == 0


def load_average(checkpoint: Path) -> tuple[ReaderNetwork, int]:
    """The running mean of the weights, ready for inference, and its step."""
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True)  # tensors of torch
    network = ReaderNetwork()
    network.load_state_dict(state["average"])
    return network.eval(), int(state["step"])


def export_reader(network: ReaderNetwork, target: Path) -> None:
    """Write the network as ONNX with a free batch size.

    Raises:
        ModelFormatError: If the file is larger than a release may be.
    """
    example = torch.zeros((2, READER_HEIGHT_PX, READER_WIDTH_PX, 3), dtype=torch.uint8)
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        (example,),
        str(target),
        input_names=["pictures"],
        output_names=list(OUTPUTS),
        dynamic_axes={name: {0: "n"} for name in ("pictures", *OUTPUTS)},
        opset_version=OPSET,
        dynamo=False,
    )
    if target.stat().st_size > MAX_MODEL_BYTES:
        raise ModelFormatError(f"{target.name} is larger than {MAX_MODEL_BYTES} bytes")


def compare_reader(
    network: ReaderNetwork, exported: Path, crops: tuple[RealCrop, ...]
) -> list[str]:
    """Run torch and both inference libraries on the same crops.

    Raises:
        ModelFormatError: If some backend differs more than rounding explains.
    """
    batch = prepare_crops(
        [crop.image for crop in crops], height_px=READER_HEIGHT_PX, width_px=READER_WIDTH_PX
    )
    with torch.no_grad():
        expected = [output.numpy() for output in network(torch.from_numpy(batch))]
    lines = []
    for backend in (Backend.OPENVINO, Backend.ONNXRUNTIME):
        session = open_session(exported, backend=backend)
        results = dict(zip(session.output_names, session.run(batch), strict=True))
        worst = max(
            float(np.abs(results[name].reshape(wanted.shape) - wanted).max())
            for name, wanted in zip(OUTPUTS, expected, strict=True)
        )
        if worst > MAX_LOGIT_DIFFERENCE:
            raise ModelFormatError(f"{backend} differs from torch by {worst:.4f} in a logit")
        lines.append(f"{backend.value}: logits within {worst:.5f} of torch")
    return lines


def enter_calibration(fitted: Calibration, *, folder: Path = MODELS_FOLDER) -> None:
    """Write temperature and doubt into the registry; make the entry where there is none."""
    registry = folder / REGISTRY_FILE
    text = registry.read_text(encoding="utf-8")
    if f"[models.{PLATE_READER}]" not in text:
        text = text.rstrip("\n") + "\n" + _new_entry()
    before, after = text.split(f"[models.{PLATE_READER}.config]\n")
    for key, value in (("temperature", fitted.temperature), ("doubt", fitted.doubt)):
        after, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", after, flags=re.MULTILINE)
        if count != 1:
            raise ModelRegistryError(f"model {PLATE_READER}: the registry needs one line {key}")
    registry.write_text(f"{before}[models.{PLATE_READER}.config]\n{after}", encoding="utf-8")


def _new_entry() -> str:
    return _ENTRY.format(
        alphabet=ALPHABET,
        slots=MAX_PLATE_LENGTH,
        height=READER_HEIGHT_PX,
        width=READER_WIDTH_PX,
        layouts=", ".join(f'"{layout.value}"' for layout in LAYOUTS),
        colours=", ".join(f'"{colour.value}"' for colour in COLOURS),
    )
