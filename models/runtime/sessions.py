# SPDX-License-Identifier: AGPL-3.0-or-later
"""Running a network: OpenVINO where it works, ONNX Runtime elsewhere.

Both take the same ONNX file and give the same numbers to rounding; precision
is stated, because OpenVINO would choose bfloat16 by itself on some processors.
One thread is the default: a device runs one process per camera, and two
threads on a busy machine are slower than one.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendUnavailableError, ModelFormatError
from models.runtime.values import Backend, FloatArray

MAX_THREADS: Final = 64
_TELEMETRY_MODULE: Final = "openvino_telemetry"


class Session(Protocol):
    """A loaded network; not to be shared between threads."""

    @property
    def backend(self) -> Backend:
        """Library that runs the network, never ``AUTO``."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs in the order of :meth:`run`."""
        ...

    def run(self, batch: NDArray[np.float32] | NDArray[np.uint8]) -> tuple[FloatArray, ...]:
        """Run the network's only input through it.

        Args:
            batch: The input, type and shape as the network declares.

        Returns:
            One array per output, each a copy that later runs leave alone.

        Raises:
            ModelFormatError: The input does not fit the network.
        """
        ...


def open_session(path: Path, *, backend: Backend = Backend.AUTO, threads: int = 1) -> Session:
    """Load a network from an ONNX file whose bytes were already checked.

    Args:
        path: ONNX file with exactly one input.
        backend: Library; ``AUTO`` takes OpenVINO and falls back on ONNX Runtime.
        threads: Threads of one inference, 1 to ``MAX_THREADS``.

    Raises:
        BackendUnavailableError: The library is absent or refuses the file.
        ModelFormatError: The network has not exactly one input.
    """
    if not 1 <= threads <= MAX_THREADS:
        raise ValueError(f"threads must lie in 1 to {MAX_THREADS}, got {threads}")
    if backend is Backend.OPENVINO:
        return OpenVinoSession(path, threads=threads)
    if backend is Backend.ONNXRUNTIME:
        return OnnxRuntimeSession(path, threads=threads)
    try:
        return OpenVinoSession(path, threads=threads)
    except BackendUnavailableError:
        return OnnxRuntimeSession(path, threads=threads)


class OpenVinoSession:
    """A network run by OpenVINO on the processor, in 32-bit floats."""

    def __init__(self, path: Path, *, threads: int) -> None:
        openvino = _import_openvino()
        try:
            core = openvino.Core()
            model = core.read_model(str(path))
            _require_one_input(path, len(model.inputs))
            self._compiled = core.compile_model(
                model,
                "CPU",
                {
                    "INFERENCE_NUM_THREADS": threads,
                    "INFERENCE_PRECISION_HINT": "f32",
                    "PERFORMANCE_HINT": "LATENCY",
                },
            )
        except RuntimeError as error:
            raise BackendUnavailableError(f"OpenVINO refuses {path.name}: {error}") from error
        self._request = self._compiled.create_infer_request()
        self._partial_shape = openvino.PartialShape
        self._input_shape = self._compiled.inputs[0].get_partial_shape()
        self._input_dtype = self._compiled.inputs[0].get_element_type().to_dtype()
        self._output_names = tuple(output.get_any_name() for output in self._compiled.outputs)

    @property
    def backend(self) -> Backend:
        """Always OpenVINO."""
        return Backend.OPENVINO

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs in the order of :meth:`run`."""
        return self._output_names

    def run(self, batch: NDArray[np.float32] | NDArray[np.uint8]) -> tuple[FloatArray, ...]:
        """Run the network; see :meth:`Session.run`."""
        # OpenVINO reads past an input of another shape, or converts it, without a word.
        fits = self._input_shape.compatible(self._partial_shape(list(batch.shape)))
        if not fits or batch.dtype != self._input_dtype:
            raise ModelFormatError(
                f"OpenVINO refuses an input of {batch.shape} {batch.dtype};"
                f" the network takes {self._input_shape} {self._input_dtype}"
            )
        try:
            results = self._request.infer([batch])
        except RuntimeError as error:
            raise ModelFormatError(f"OpenVINO refuses an input of {batch.shape}") from error
        return tuple(
            np.array(results[index], dtype=np.float32) for index in range(len(self._output_names))
        )


class OnnxRuntimeSession:
    """A network run by ONNX Runtime on the processor."""

    def __init__(self, path: Path, *, threads: int) -> None:
        try:
            import onnxruntime  # noqa: PLC0415 -- a device may have one library only
        except ImportError as error:
            raise BackendUnavailableError(
                "onnxruntime is not installed; install luuthong[edge]"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library raises many unrelated classes of its own
            raise BackendUnavailableError(f"ONNX Runtime refuses {path.name}: {error}") from error
        inputs = self._session.get_inputs()
        _require_one_input(path, len(inputs))
        self._input_name = inputs[0].name
        self._output_names = tuple(output.name for output in self._session.get_outputs())

    @property
    def backend(self) -> Backend:
        """Always ONNX Runtime."""
        return Backend.ONNXRUNTIME

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs in the order of :meth:`run`."""
        return self._output_names

    def run(self, batch: NDArray[np.float32] | NDArray[np.uint8]) -> tuple[FloatArray, ...]:
        """Run the network; see :meth:`Session.run`."""
        try:
            results = self._session.run(list(self._output_names), {self._input_name: batch})
        except Exception as error:  # the library raises many unrelated classes of its own
            raise ModelFormatError(f"ONNX Runtime refuses an input of {batch.shape}") from error
        return tuple(np.asarray(result, dtype=np.float32) for result in results)


def _require_one_input(path: Path, count: int) -> None:
    if count != 1:
        raise ModelFormatError(f"{path.name} has {count} inputs; exactly one is expected")


def _import_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which reports every import otherwise.

    A ``None`` in ``sys.modules`` makes the telemetry package count as not
    installed; OpenVINO then uses its own empty stand-in.
    """
    if _TELEMETRY_MODULE not in sys.modules:
        sys.modules[_TELEMETRY_MODULE] = None  # type: ignore[assignment]  # documented use of None
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise BackendUnavailableError(
            "openvino is not installed; install luuthong[edge]"
        ) from error
