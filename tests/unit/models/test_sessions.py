# SPDX-License-Identifier: AGPL-3.0-or-later
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.errors import BackendUnavailableError, ModelFormatError
from models.runtime.registry import PLATE_DETECTOR, load_model
from models.runtime.sessions import MAX_THREADS, open_session
from models.runtime.values import Backend

BACKENDS = (Backend.OPENVINO, Backend.ONNXRUNTIME)


@pytest.fixture(scope="module")
def plate_file() -> Path:
    return load_model(PLATE_DETECTOR).path


def test_both_libraries_give_the_same_numbers(plate_file: Path) -> None:
    rng = np.random.default_rng(7)
    batch = rng.random((1, 3, 96, 160), dtype=np.float32)

    openvino, onnxruntime = (
        open_session(plate_file, backend=backend).run(batch)[0] for backend in BACKENDS
    )

    assert openvino.shape == onnxruntime.shape
    np.testing.assert_allclose(openvino, onnxruntime, atol=0.05)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_result_is_not_overwritten_by_the_next_run(plate_file: Path, backend: Backend) -> None:
    session = open_session(plate_file, backend=backend)
    dark, bright = (np.full((1, 3, 64, 64), value, dtype=np.float32) for value in (0.0, 1.0))

    first = session.run(dark)[0]
    kept = first.copy()
    session.run(bright)

    np.testing.assert_array_equal(first, kept)
    assert session.backend is backend
    assert len(session.output_names) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_input_of_another_shape_or_type_is_refused(plate_file: Path, backend: Backend) -> None:
    session = open_session(plate_file, backend=backend)

    for batch in (np.zeros((1, 4, 64, 64), np.float32), np.zeros((1, 3, 64, 64), np.uint8)):
        with pytest.raises(ModelFormatError, match="refuses an input"):
            session.run(batch)


@pytest.mark.parametrize("backend", [*BACKENDS, Backend.AUTO])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, backend: Backend) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"this is no network")

    with pytest.raises(BackendUnavailableError, match=r"refuses broken\.onnx"):
        open_session(path, backend=backend)


@pytest.mark.parametrize("threads", [0, -1, MAX_THREADS + 1])
def test_a_senseless_number_of_threads_is_refused(plate_file: Path, threads: int) -> None:
    with pytest.raises(ValueError, match="threads must lie in"):
        open_session(plate_file, threads=threads)


def test_the_fallback_serves_where_openvino_is_absent(plate_file: Path) -> None:
    code = (
        "import sys; sys.modules['openvino'] = None\n"
        "from pathlib import Path\n"
        "from models.runtime.sessions import open_session\n"
        "print(open_session(Path(sys.argv[1])).backend)\n"
    )

    printed = run_python(code, str(plate_file))

    assert printed.splitlines()[-1] == "onnxruntime"


def test_openvino_reports_to_nobody_and_no_torch_is_loaded(plate_file: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from models.runtime.sessions import open_session\n"
        "open_session(Path(sys.argv[1]))\n"
        "print(sys.modules.get('openvino_telemetry'), 'torch' in sys.modules)\n"
    )

    printed = run_python(code, str(plate_file))

    assert printed.splitlines()[-1] == "None False"


def run_python(code: str, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return finished.stdout
