# SPDX-License-Identifier: AGPL-3.0-or-later
"""The built scripts, styles and icons: found by their plain names, served under hashed ones."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.errors import AssetsMissingError

STATIC_FOLDER: Final = Path(__file__).parents[1] / "console" / "static"
STATIC_PATH: Final = "/console/static"
MANIFEST: Final = "manifest.json"
FOREVER: Final = "public, max-age=31536000, immutable"
SVG: Final = "image/svg+xml"
_NAMES: Final = TypeAdapter(dict[str, str])


class Assets:
    """Addresses of built files.

    Raises:
        AssetsMissingError: The files were not built.
    """

    def __init__(self, folder: Path = STATIC_FOLDER / "dist") -> None:
        self.folder = folder
        self._names = _read_manifest(folder / MANIFEST)

    def url(self, name: str) -> str:
        """Address of a built file by its plain name, such as ``app.js``."""
        return f"{STATIC_PATH}/{self._names[name]}"


class HashedFiles(StaticFiles):
    """Serves built files; since a name holds its content's hash, browsers keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one request."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FOREVER
        if response.headers.get("Content-Type") == SVG:  # it is text, too, and says so
            response.headers["Content-Type"] = f"{SVG}; charset=utf-8"
        return response


def _read_manifest(path: Path) -> Mapping[str, str]:
    """Plain names and their hashed ones."""
    try:
        return _NAMES.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise AssetsMissingError from error
