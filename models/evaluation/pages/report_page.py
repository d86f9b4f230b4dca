# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report as one page that needs nothing beside itself."""

from collections.abc import Sequence
from html import escape
from typing import Final

from models.evaluation.document import (
    EstimateDocument,
    EvaluationDocument,
    MeasurementDocument,
    ShareDocument,
    SliceDocument,
)
from models.evaluation.pages.charts import Whisker, calibration_chart, risk_chart, whisker_chart

STYLE: Final = """
:root{--ink:#1b2430;--paper:#fff;--faint:#66707d;--line:#dde2e8;--mark:#0b62c4;--band:#0b62c422}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--paper:#14181e;--faint:#9aa5b3;--line:#2e3640;
--mark:#6fb1ff;--band:#6fb1ff22}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;
max-width:72rem;padding:1.5rem}
h1,h2,h3{line-height:1.25}h2{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
td,th{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child,th:first-child{text-align:left}td small{white-space:nowrap}th{font-weight:600}
small,.note{color:var(--faint)}.scroll{overflow-x:auto}summary{cursor:pointer;margin:.6rem 0}
figure{display:inline-block;margin:.5rem 1rem .5rem 0;max-width:100%}
figcaption{color:var(--faint);max-width:30rem}
svg{max-width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:var(--ink)}
.grid{stroke:var(--line);fill:none}.aid{stroke:var(--faint);stroke-dasharray:4 4;fill:none}
.whisker{stroke:var(--mark);stroke-width:2;fill:none}.curve{stroke:var(--mark);stroke-width:2;fill:none}
.band{fill:var(--band)}.dot{fill:var(--mark)}code{overflow-wrap:anywhere}
"""
_CHARTED: Final = ("recall", "exact", "fused", "answered")
"""Share that a measurement's plot of slices shows: the first of these that it has."""
_OPEN_SLICES: Final = 14
"""Tables of more slices begin closed."""
_SMALL: Final = 0.1


def report_page(document: EvaluationDocument) -> str:
    """The whole page."""
    when = f"{document['made_at']} · {document['split']} · {document['backend']}"
    how = (
        "Every figure stands with its 95 % interval: shares after Wilson, others from drawing"
        " pictures, plates or tracks again. Boxes are right from IoU"
        f" {document['min_overlap']}; readings are answered from {document['answer_from']}."
    )
    parts = [
        "<h1>Models of Luuthong, measured</h1>",
        f"<p>{escape(when)}</p><p class='note'>{how}</p>",
        _list([escape(rule) for rule in document["rules"]]),
        _models(document),
        *(_measurement(one, document["answer_from"]) for one in document["measurements"]),
        _latency(document),
    ]
    return page("Models of Luuthong, measured", "\n".join(parts))


def page(title: str, body: str) -> str:
    """A page of this project's reports."""
    return (
        f'<!doctype html>\n<html lang="en"><head><title>{escape(title)}</title>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the cells are HTML."""
    top = "".join(f"<th>{one}</th>" for one in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{top}</tr>{body}</table></div>'


def _models(document: EvaluationDocument) -> str:
    rows = [
        (escape(one["model"]), escape(one["version"]), f"<code>{escape(one['sha256'])}</code>")
        for one in document["models"]
    ]
    rows += [
        (f"manifest {escape(name)}", "", f"<code>{escape(digest)}</code>")
        for name, digest in document["manifests"].items()
    ]
    return table(("what", "version", "sha256"), rows)


def _measurement(one: MeasurementDocument, answer_from: float) -> str:
    name = f"{one['subject']}: {one['data']}"
    parts = [f"<h2>{escape(name)}</h2>"]
    if one["note"]:
        parts.append(f"<p class='note'>{escape(one['note'])}</p>")
    charted = next((key for key in _CHARTED if key in one["slices"][0]["shares"]), None)
    if charted is not None:
        rows = [row for part in one["slices"] if (row := _whisker(part, charted)) is not None]
        title = f"{name}: {charted} by slice"
        parts.append(_details(title, _figure(whisker_chart(rows, title=title), title), len(rows)))
    curves = one["curves"]
    if curves.get("risk_coverage"):
        title = "share answered against share wrong"
        chart = risk_chart(curves["risk_coverage"], answer_from=answer_from, title=title)
        parts.append(_figure(chart, title))
    for key, title in (
        ("calibration", "calibration, ten equal bins"),
        ("calibration_adaptive", "calibration, bins of equally many"),
    ):
        if curves.get(key):
            parts.append(_figure(calibration_chart(curves[key], title=title), title))
    parts.append(_details("figures", _slices(one["slices"]), len(one["slices"])))
    return "\n".join(parts)


def _slices(slices: Sequence[SliceDocument]) -> str:
    shares = list(dict.fromkeys(key for part in slices for key in part["shares"]))
    estimates = list(dict.fromkeys(key for part in slices for key in part["estimates"]))
    pairs = list(dict.fromkeys(key for part in slices for key in part.get("paired", {})))
    rows = []
    for part in slices:
        two = part.get("paired", {})
        rows.append(
            [
                escape(part["slice"]),
                str(part["pictures"]),
                *(_share(part["shares"].get(key)) for key in shares),
                *(_estimate(part["estimates"].get(key)) for key in estimates),
                *(
                    f"{_estimate(two[key]['difference'])}<br><small>p"
                    f" {two[key]['p_value']:.2g}</small>"
                    if key in two
                    else ""
                    for key in pairs
                ),
            ]
        )
    head = ["slice", "n", *(escape(key.replace("_", " ")) for key in (*shares, *estimates, *pairs))]
    return table(head, rows)


def _latency(document: EvaluationDocument) -> str:
    if not document["latency"]:
        return ""
    machine = document["machine"]
    where = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB,"
        f" {machine['system']}, Python {machine['python']}, load {machine['load']};"
        f" {', '.join(machine['libraries'])}; one thread, 32-bit floats"
    )
    rows = []
    for one in document["latency"]:
        median = one["median_ms"]
        interval = f"{median['low_95']:.1f} to {median['high_95']:.1f}"
        rows.append(
            (
                escape(one["step"]),
                escape(one["backend"]),
                f"{median['value']:.1f}<br><small>{interval}</small>",
                f"{one['p90_ms']:.1f}",
                str(one["repeats"]),
            )
        )
    head = ("step", "library", "median ms", "p90 ms", "runs")
    return f"<h2>Latency</h2><p class='note'>{escape(where)}</p>{table(head, rows)}"


def _whisker(part: SliceDocument, key: str) -> Whisker | None:
    share = part["shares"].get(key)
    if share is None or share["value"] is None:
        return None
    return Whisker(
        label=part["slice"],
        value=share["value"],
        low=share["low_95"],
        high=share["high_95"],
        text=f"{share['value']:.1%} [{share['low_95']:.1%}, {share['high_95']:.1%}]",
    )


def _share(share: ShareDocument | None) -> str:
    if share is None or share["value"] is None:
        return ""
    interval = f"{share['low_95']:.1%} to {share['high_95']:.1%}"
    return f"{share['value']:.2%}<br><small>{interval}, n {share['trials']}</small>"


def _estimate(one: EstimateDocument | None) -> str:
    if one is None or one["value"] is None:
        return ""
    return f"{one['value']:.4f}<br><small>{one['low_95']:.4f} to {one['high_95']:.4f}</small>"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _details(summary: str, body: str, length: int) -> str:
    state = " open" if length <= _OPEN_SLICES else ""
    return f"<details{state}><summary>{escape(summary)}</summary>{body}</details>"


def _list(items: Sequence[str]) -> str:
    return f"<ul class='note'>{''.join(f'<li>{one}</li>' for one in items)}</ul>"
