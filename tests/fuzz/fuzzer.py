# SPDX-License-Identifier: AGPL-3.0-or-later
"""The fuzzer's process: libFuzzer's options come as arguments."""

import sys

import atheris

with atheris.instrument_imports(include=["central", "tests.fuzz.property"]):
    from tests.fuzz.property import check

from tests.fuzz.mutating import changed


def _mutate(data: bytes, size_max: int, seed: int) -> bytes:
    """A changed message: by us, or by libFuzzer."""
    ours = changed(bytes(data), seed)
    if ours is None or len(ours) > size_max:
        return bytes(atheris.Mutate(data, len(data)))
    return ours


def main() -> None:
    """Run until the time is over; ends the process."""
    # libFuzzer starts itself anew to merge, by the first argument, in a shell.
    program = f"{sys.executable} -m tests.fuzz.fuzzer"
    atheris.Setup([program, *sys.argv[1:]], check, custom_mutator=_mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
