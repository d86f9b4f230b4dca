# SPDX-License-Identifier: AGPL-3.0-or-later
from pathlib import Path

from deploy.setup.node import are_assets_current, sources_digest


def make_console(folder: Path) -> Path:
    (folder / "src" / "js").mkdir(parents=True)
    (folder / "src" / "js" / "app.js").write_text("export {};")
    (folder / "package.json").write_text("{}")
    (folder / "static" / "dist").mkdir(parents=True)
    return folder


def test_assets_are_current_until_a_source_changes(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    assert not are_assets_current(console)  # never built

    (console / "static" / "dist" / ".sources").write_text(sources_digest(console))
    assert are_assets_current(console)

    (console / "src" / "js" / "app.js").write_text("export { };")
    assert not are_assets_current(console)


def test_a_renamed_source_changes_the_digest(tmp_path: Path) -> None:
    console = make_console(tmp_path)
    before = sources_digest(console)

    (console / "src" / "js" / "app.js").rename(console / "src" / "js" / "main.js")

    assert sources_digest(console) != before
