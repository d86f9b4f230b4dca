# SPDX-License-Identifier: AGPL-3.0-or-later
"""A detector in whole numbers of 8 bits, for devices whose processor is slow.

The ranges of all layers come from pictures of the training, and the biases are corrected for what
rounding shifts (Nagel et al. 2019, Data-free quantization through weight equalization and bias
correction). What turns the head's output into boxes stays in floats: boxes and scores leave the
network in one array, and a scale that holds 640 pixels knows nothing between 0 and 1. The file runs
in OpenVINO and ONNX Runtime alike, because the quantisation is written into the network itself.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.runtime.values import FloatArray

_STAYS_IN_FLOATS: Final = (
    r"/model\.22/dfl.*",
    r"/model\.22/(Add|Concat|Div|Mul|Sigmoid|Slice|Split|Sub).*",
)
_NO_TELEMETRY: Final = "NNCF_CI"
"""Where this is set, the library tells its makers nothing."""


def quantise(source: Path, target: Path, *, inputs: Sequence[FloatArray]) -> None:
    """Write an 8-bit copy of a detector.

    Args:
        source: Detector in floats.
        target: File to write; an earlier one is replaced.
        inputs: Network inputs made of training pictures, each
            ``(1, 3, height, width)``; they decide the ranges of all layers.
    """
    os.environ[_NO_TELEMETRY] = "1"
    import nncf  # noqa: PLC0415 -- only the training environment has it
    import onnx  # noqa: PLC0415

    network = onnx.load(str(source))
    name = network.graph.input[0].name
    quantised = nncf.quantize(
        network,
        nncf.Dataset(list(inputs), lambda batch: {name: batch}),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
        ignored_scope=nncf.IgnoredScope(patterns=list(_STAYS_IN_FLOATS)),
    )
    onnx.save(quantised, str(target))
