# SPDX-License-Identifier: AGPL-3.0-or-later
"""Networks to start training from, so that an hour of training is enough.

Plates start from the detector of the package ``fastanpr`` (AGPL-3.0), vehicles
from COCO weights (AGPL-3.0) that were kept with their batch normalisation
folded into the convolutions. Folded weights can not be trained as they are:
the normalisation must be unfolded first, with statistics measured on pictures.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from models.errors import DatasetError, ModelDigestError, TrainingEnvironmentError
from models.runtime.images import letterboxed, network_input
from models.runtime.registry import file_sha256

# Any in this module: torch and ultralytics publish no types that mypy could check here.

PLATE_PACKAGE: Final = "fastanpr"
PLATE_FILE: Final = "best.pt"
PLATE_SHA256: Final = "58f6ad86f35f09574e13484ead3346ae8cc052facae150041ed4a894ac2f3828"
COCO_FILE: Final = "weights/yolov8n_coco_fused_fp16.npz"
COCO_SHA256: Final = "444e7e06337a8f240c415a5c66052b31544321aefc0ebdde67622d27cb7ea8a9"
COCO_CLASSES: Final = 80
COCO_VEHICLE_IDS: Final = (2, 3, 5, 7)
STATISTICS_SIDE_PX: Final = 640
_STRIDE_PX: Final = 32


def plate_network() -> Any:  # noqa: ANN401 -- a torch module
    """YOLOv8n that finds plates, from the package ``fastanpr``.

    Raises:
        TrainingEnvironmentError: The package is not installed.
        ModelDigestError: Its file is another one than was checked; it is a
            pickle, so it is not opened.
    """
    from ultralytics.nn.tasks import DetectionModel, load_checkpoint  # noqa: PLC0415 -- training only

    found = importlib.util.find_spec(PLATE_PACKAGE)
    if found is None or found.origin is None:
        raise TrainingEnvironmentError(f"the package {PLATE_PACKAGE} is not installed")
    path = Path(found.origin).parent / PLATE_FILE
    _require_digest(PLATE_PACKAGE, path, PLATE_SHA256)
    kept, _ = load_checkpoint(str(path))
    # Only the weights are taken over: the kept object remembers another machine.
    model = DetectionModel("yolov8n.yaml", nc=1, verbose=False)
    model.load_state_dict(kept.float().state_dict())
    return model.train()


def vehicle_network(pool: Path, *, pictures: Sequence[Path]) -> Any:  # noqa: ANN401 -- a torch module
    """YOLOv8n for four vehicle classes, from COCO weights of the pool.

    Args:
        pool: Folder of real pictures, which holds the weights.
        pictures: Some dozens of training pictures, on which the statistics
            of the normalisation are measured.

    Raises:
        DatasetError: The weights are not in the pool, or no picture is given.
        ModelDigestError: They are other weights than were checked.
    """
    if not pictures:
        raise DatasetError("the normalisation needs training pictures to be measured on")
    model = coco_network(pool)
    _unfold_normalisation(model, pictures)
    _keep_classes(model, COCO_VEHICLE_IDS)
    return model.train()


def coco_network(pool: Path) -> Any:  # noqa: ANN401 -- a torch module
    """YOLOv8n with all classes of COCO, to look with; its normalisation is folded.

    Raises:
        DatasetError: The weights are not in the pool.
        ModelDigestError: They are other weights than were checked.
    """
    from ultralytics.nn.tasks import DetectionModel  # noqa: PLC0415 -- training only

    path = pool / COCO_FILE
    if not path.is_file():
        raise DatasetError(f"no {COCO_FILE} in {pool.name}/")
    _require_digest("yolov8n-coco", path, COCO_SHA256)
    model = DetectionModel("yolov8n.yaml", nc=COCO_CLASSES, verbose=False)
    with np.load(path) as weights:
        _load_folded(model, dict(weights))
    return model.eval()


def _require_digest(name: str, path: Path, expected: str) -> None:
    actual = file_sha256(path)
    if actual != expected:
        raise ModelDigestError(
            name=name, path=path, expected=expected, actual=actual, reason="was changed"
        )


def _load_folded(model: Any, weights: dict[str, Any]) -> None:  # noqa: ANN401 -- a torch module
    """Fill convolutions, and set every normalisation to do nothing but add the bias."""
    import torch  # noqa: PLC0415 -- training only

    modules = dict(model.named_modules())
    for name, module in modules.items():
        if not isinstance(module, torch.nn.Conv2d):
            continue
        module.weight.data = torch.from_numpy(weights[f"{name}.weight"].astype(np.float32))
        if f"{name}.bias" not in weights:
            continue
        bias = torch.from_numpy(weights[f"{name}.bias"].astype(np.float32))
        if module.bias is not None:
            module.bias.data = bias
            continue
        norm = modules[f"{name.removesuffix('conv')}bn"]
        norm.weight.data.fill_(1.0)
        norm.bias.data = bias
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)


def _unfold_normalisation(model: Any, pictures: Sequence[Path]) -> None:  # noqa: ANN401 -- torch
    """Give every normalisation its real statistics without changing the network's output.

    Without this, the first training step would normalise activations that
    were normalised already, and the warm start would be lost.
    """
    import torch  # noqa: PLC0415 -- training only

    sums: dict[Any, list[Any]] = {}
    model.eval()
    with torch.no_grad(), _input_moments(model, sums):
        for picture in pictures:
            image = cv2.imread(str(picture))
            if image is None:
                raise DatasetError(f"{picture.name} is no picture")
            fitted, _ = letterboxed(
                np.asarray(image, dtype=np.uint8),
                longest_side_px=STATISTICS_SIDE_PX,
                stride_px=_STRIDE_PX,
            )
            model(torch.from_numpy(network_input(fitted)))
    for norm, (total, squares, count) in sums.items():
        mean = total / count
        variance = (squares / count - mean**2).clamp_min(1e-6)
        norm.weight.data = torch.sqrt(variance + norm.eps).float()
        norm.bias.data = norm.bias.data + mean.float()
        norm.running_mean = mean.float()
        norm.running_var = variance.float()


@contextmanager
def _input_moments(model: Any, sums: dict[Any, list[Any]]) -> Iterator[None]:  # noqa: ANN401 -- torch
    import torch  # noqa: PLC0415 -- training only

    def measure(norm: Any, inputs: tuple[Any, ...]) -> None:  # noqa: ANN401 -- a torch hook
        values = inputs[0].double()
        moments = [values.sum((0, 2, 3)), (values**2).sum((0, 2, 3)), values[:, 0].numel()]
        if norm not in sums:
            sums[norm] = moments
            return
        for index, moment in enumerate(moments):
            sums[norm][index] = sums[norm][index] + moment

    hooks = [
        module.register_forward_pre_hook(measure)
        for module in model.modules()
        if isinstance(module, torch.nn.BatchNorm2d)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _keep_classes(model: Any, class_ids: Sequence[int]) -> None:  # noqa: ANN401 -- a torch module
    """Cut the head down to some classes, keeping what it knows of them."""
    import torch  # noqa: PLC0415 -- training only

    head = model.model[-1]
    chosen = list(class_ids)
    for branch in head.cv3:
        old = branch[2]
        new = torch.nn.Conv2d(old.in_channels, len(chosen), kernel_size=1)
        new.weight.data = old.weight.data[chosen].clone()
        new.bias.data = old.bias.data[chosen].clone()
        branch[2] = new
    head.nc = len(chosen)
    head.no = len(chosen) + 4 * head.reg_max
    model.nc = len(chosen)
    model.yaml["nc"] = len(chosen)
