# SPDX-License-Identifier: AGPL-3.0-or-later
import re
import tomllib
from pathlib import Path

from deploy import permissions_page
from deploy.settings_page import PAGE, page_text, undocumented

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "deploy" / "docs"


def test_every_setting_is_described() -> None:
    assert undocumented() == []


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text("utf-8") == page_text(), "run: make docs"


def test_the_page_of_permissions_is_current() -> None:
    text = permissions_page.PAGE.read_text("utf-8")

    assert text == permissions_page.page_text(), "run: make docs"


def test_every_direct_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = list(project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    page = (DOCS / "dependencies.md").read_text("utf-8").lower()

    missing = [
        name
        for name in (re.split(r"[\[<>=;]", line)[0].strip() for line in wanted)
        if f"| {name} |" not in page
    ]

    assert missing == []


def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []
