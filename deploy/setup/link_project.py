# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes a checkout importable in an environment, and its commands callable.

The launcher runs this with the environment's Python when the locked packages are there. It
does what an editable install does, but needs no build back end, no network and no write
access to the checkout. Standard library only.
"""

import stat
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Final

# Python and sh both read the first lines; the path may then be long and hold spaces.
_SCRIPT: Final = """\
#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""
_METADATA: Final = """\
Metadata-Version: 2.4
Name: {name}
Version: {version}
License-Expression: {licence}
"""


def link_project(root: Path, *, site_packages: Path, scripts: Path, python: Path) -> list[Path]:
    """Write the path file, the metadata and one script per command.

    Args:
        root: The checkout, with its ``pyproject.toml``.
        site_packages: The environment's folder of packages.
        scripts: The environment's folder of commands.
        python: The environment's Python.

    Returns:
        The files written.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version, commands = project["name"], project["version"], project["scripts"]
    metadata = _METADATA.format(name=name, version=version, licence=project["license"])
    for stale in site_packages.glob(f"{name}-*.dist-info/*"):
        stale.unlink()
    information = site_packages / f"{name}-{version}.dist-info"
    entries = "".join(f"{command} = {target}\n" for command, target in commands.items())
    texts = {
        site_packages / f"{name}.pth": f"{root}\n",
        information / "METADATA": metadata,
        information / "INSTALLER": f"{name}\n",
        information / "entry_points.txt": f"[console_scripts]\n{entries}",
    }
    for command, target in commands.items():
        module, _, function = target.partition(":")
        texts[scripts / command] = _SCRIPT.format(python=python, module=module, function=function)
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if path.parent == scripts:
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    records = [f"{path},,\n" for path in (*texts, information / "RECORD")]
    (information / "RECORD").write_text("".join(records), encoding="utf-8")
    return list(texts)


if __name__ == "__main__":
    link_project(
        Path(sys.argv[1]).resolve(),
        site_packages=Path(sysconfig.get_path("purelib")),
        scripts=Path(sysconfig.get_path("scripts")),
        python=Path(sys.executable),
    )
