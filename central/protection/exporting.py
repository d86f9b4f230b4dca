# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a citizen gets: everything known about a vehicle and who looked, as JSON and as a page."""

import html
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from central.audit.types import JsonValue

Facts = Sequence[Mapping[str, JsonValue]]

SECTIONS: Final[tuple[tuple[str, str, str], ...]] = (
    ("vehicle", "export_vehicle", "Phương tiện và chủ xe trong cơ sở dữ liệu đăng ký"),
    ("plates", "export_plates", "Biển số"),
    ("papers", "export_papers", "Phù hiệu, giấy phép"),
    ("passages", "export_passages", "Lượt xe qua"),
    ("crossings", "export_crossings", "Lượt qua trạm thu phí"),
    ("alerts", "export_alerts", "Cảnh báo đã kết thúc"),
    ("dossiers", "export_dossiers", "Hồ sơ thủ tục hành chính"),
)
"""Name in the JSON, query, and heading of the page."""

LOOKS_HEADING: Final = "Những lần dữ liệu được xem"
ROWS_MAX: Final = 10_000
"""Most rows of each section; a fuller one says so."""

NOT_INCLUDED: Final = (
    "Không bao gồm: cảnh báo đang xử lý, danh sách theo dõi, tên cán bộ đã xem dữ liệu "
    "(chỉ nêu vai trò, mục đích và thời gian)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is handed over.

    Attributes:
        sections: Facts by section, in order, with its heading.
    """

    code: str
    made_at: datetime
    sections: tuple[tuple[str, str, Facts], ...]

    def as_zip(self) -> bytes:
        """One file for the citizen."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(f"{self.code}.json", self._json())
            file.writestr(f"{self.code}.html", self._page())
        return archive.getvalue()

    def _json(self) -> str:
        values = {
            "request": self.code,
            "made_at": self.made_at.isoformat(),
            "not_included": NOT_INCLUDED,
            "rows_max": ROWS_MAX,
            **{name: facts for name, _heading, facts in self.sections},
        }
        return json.dumps(values, ensure_ascii=False, indent=2)

    def _page(self) -> str:
        title = f"Dữ liệu theo yêu cầu {html.escape(self.code)}"
        parts = [
            '<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8">',
            f"<title>{title}</title></head><body><h1>{title}</h1>",
            f"<p>Lập lúc {html.escape(self.made_at.isoformat())}. {html.escape(NOT_INCLUDED)}</p>",
        ]
        for _name, heading, facts in self.sections:
            parts.append(f"<h2>{html.escape(heading)} ({len(facts)})</h2>")
            parts.extend(_table(facts) if facts else ["<p>Không có dữ liệu.</p>"])
        return "".join([*parts, "</body></html>"])


def _table(facts: Facts) -> list[str]:
    """A table with a column for each name."""
    names = list(dict.fromkeys(name for fact in facts for name in fact))
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
    rows = [
        "<tr>"
        + "".join(f"<td>{html.escape(_text(fact.get(name)))}</td>" for name in names)
        + "</tr>"
        for fact in facts
    ]
    return [f"<table><thead><tr>{head}</tr></thead><tbody>", *rows, "</tbody></table>"]


def _text(value: JsonValue) -> str:
    """A fact as a person reads it."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
