# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a checkpoint to the released reader: ONNX, proof of equal output, calibration, registry."""

from pathlib import Path
from typing import Final

from models.datasets.pool import DEFAULT_POOL_FOLDER, require_pool
from models.datasets.splits import Split
from models.runtime.believing import Belief
from models.runtime.corners import PlateCorners
from models.runtime.plate_formats import ALPHABET, MAX_PLATE_LENGTH
from models.runtime.reader import OUTPUTS, PlateReader
from models.runtime.reader_input import READER_HEIGHT_PX, READER_WIDTH_PX, flattened_crops
from models.runtime.registry import MODELS_FOLDER, PLATE_READER, WEIGHTS_FOLDER
from models.training.network_export import agreement_lines, export_network, load_average
from models.training.plates.reader_calibration import calibrate
from models.training.plates.reader_network import ReaderNetwork
from models.training.plates.reader_samples import COLOURS, LAYOUTS
from models.training.plates.reader_train import RUN_FOLDER
from models.training.plates.real_crops import RealCrop, is_for_calibration, load_real_crops
from models.training.release import enter_config, enter_release
from models.training.stepwise import CHECKPOINT_FILE

MAX_LOGIT_DIFFERENCE: Final = 0.02
_CALIBRATION_SEED: Final = 20
_COMPARED: Final = 16
_NOT_FITTED: Final = Belief(temperature=1.0, doubt=0.001, slope=1.0, offset=0.0, answer_from=0.9)


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
    network = ReaderNetwork()
    step = load_average(run_folder / CHECKPOINT_FILE, network)
    target = MODELS_FOLDER / WEIGHTS_FOLDER / f"{PLATE_READER}.onnx"
    shape = (READER_HEIGHT_PX, READER_WIDTH_PX, 3)
    export_network(network, target, shape=shape, outputs=OUTPUTS)
    crops = load_real_crops(require_pool(pool), Split.VALIDATION)
    lines = [f"step {step}, {target.stat().st_size / 1e6:.1f} MB"]
    images = [crop.image for crop in crops[:_COMPARED]]
    batch = flattened_crops(
        images, PlateCorners.open().find(images), height_px=shape[0], width_px=shape[1]
    )
    lines += agreement_lines(network, target, batch, difference_max=MAX_LOGIT_DIFFERENCE)
    enter_config(PLATE_READER, _fixed_config() | _belief_config(_NOT_FITTED))
    enter_release(PLATE_READER, version=version)
    fitted = calibrate(PlateReader.open(), calibration_crops(crops), seed=_CALIBRATION_SEED)
    enter_config(PLATE_READER, _belief_config(fitted.belief))
    lines.append(
        f"{fitted.belief}, log loss {fitted.log_loss:.4f}, "
        f"calibration error {fitted.error:.4f} on {fitted.plates} pictures"
    )
    lines.append(enter_release(PLATE_READER, version=version))
    return tuple(lines)


def calibration_crops(crops: tuple[RealCrop, ...]) -> tuple[RealCrop, ...]:
    """The half of the validation plates that calibrates; by plate, never by picture.

    A crop whose label is wrong would teach doubt where there is none.
    """
    return tuple(
        crop for crop in crops if is_for_calibration(crop.group) and not crop.has_doubtful_label
    )


def _fixed_config() -> dict[str, str]:
    return {
        "alphabet": f'"{ALPHABET}"',
        "slots": str(MAX_PLATE_LENGTH),
        "input_height_px": str(READER_HEIGHT_PX),
        "input_width_px": str(READER_WIDTH_PX),
        "colour_order": '"bgr"',
        "layouts": _listed([layout.value for layout in LAYOUTS]),
        "colours": _listed([colour.value for colour in COLOURS]),
    }


def _belief_config(belief: Belief) -> dict[str, str]:
    return {
        "temperature": f"{belief.temperature:.6g}",
        "doubt": f"{belief.doubt:.6g}",
        "slope": f"{belief.slope:.6g}",
        "offset": f"{belief.offset:.6g}",
        "answer_from": f"{belief.answer_from:.6g}",
    }


def _listed(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
