# SPDX-License-Identifier: AGPL-3.0-or-later
"""A detector in whole numbers of 8 bits, for devices whose processor is slow.

Only convolutions are quantised, from the ranges that real training pictures give, and the
head's last ones stay in floats: boxes and scores leave the network in one array, and a
scale that holds 640 pixels knows nothing between 0 and 1. The file runs in OpenVINO and
ONNX Runtime alike, because the quantisation is written into the network itself.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from models.runtime.values import FloatArray

# Any in this module: onnx and onnxruntime publish no types that mypy could check here.

_HEAD: Final = "/model.22/"
_STEM: Final = "/model.0/"
_QUANTISED_OPERATOR: Final = "Conv"
_LAST_OF_A_BRANCH: Final = re.compile(r"/cv[23]\.\d\.2/")


def quantise(source: Path, target: Path, *, inputs: Sequence[FloatArray]) -> None:
    """Write an 8-bit copy of a detector.

    Args:
        source: Detector in floats.
        target: File to write; an earlier one is replaced.
        inputs: Network inputs made of training pictures, each
            ``(1, 3, height, width)``; they decide the ranges of all layers.
    """
    import onnx  # noqa: PLC0415 -- only the training environment has it
    from onnxruntime.quantization import (  # noqa: PLC0415
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    graph = onnx.load(str(source)).graph
    quantize_static(
        str(source),
        str(target),
        _reader(graph.input[0].name, inputs),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=[_QUANTISED_OPERATOR],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[node.name for node in graph.node if _stays_in_floats(node)],
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": 0.1},
    )


def _stays_in_floats(node: Any) -> bool:  # noqa: ANN401 -- an ONNX node
    name = str(node.name)
    if name.startswith(_STEM):
        return True
    return name.startswith(_HEAD) and ("dfl" in name or bool(_LAST_OF_A_BRANCH.search(name)))


def _reader(name: str, inputs: Sequence[FloatArray]) -> Any:  # noqa: ANN401 -- a class of onnxruntime
    from onnxruntime.quantization import CalibrationDataReader  # noqa: PLC0415

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # the library has no types
        """Hands the inputs over one by one, as the library asks for them."""

        def __init__(self) -> None:
            self._left: Iterator[FloatArray] = iter(inputs)

        def get_next(self) -> dict[str, FloatArray] | None:
            batch = next(self._left, None)
            return None if batch is None else {name: batch}

    return Reader()
