# SPDX-License-Identifier: AGPL-3.0-or-later
"""``evaluate``: the released models on pictures that training never saw."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.commands.options import (
    BackendOption,
    DataOption,
    ModelArgument,
    ModelChoice,
    SplitChoice,
)
from models.datasets.pool import DEFAULT_POOL_FOLDER, require_pool
from models.datasets.splits import Split
from models.runtime.values import Backend

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
JsonFileOption = Annotated[Path | None, typer.Option("--json-file", help="Write the JSON here.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write a page with plots here.")]
GalleryOption = Annotated[
    Path | None,
    typer.Option(
        "--gallery",
        help="Write every failure's picture into this folder. It shows real plates, so it may not"
        " lie inside the project unless git ignores it.",
    ),
]
AgainstOption = Annotated[
    Path | None,
    typer.Option(
        "--against", help="Earlier JSON; fail where a share is lower by more than chance."
    ),
]
GateOption = Annotated[
    bool,
    typer.Option(
        "--gate", help="Hold the released models against the kept figures; fail where one fell."
    ),
]
BaselineOption = Annotated[
    bool,
    typer.Option("--write-baseline", help="Keep the figures of the models released now."),
]


def evaluate(
    model: ModelArgument = ModelChoice.ALL,
    data: DataOption = DEFAULT_POOL_FOLDER,
    split: Annotated[SplitChoice, typer.Option("--split")] = SplitChoice.BOTH,
    backend: BackendOption = Backend.AUTO,
    *,
    as_json: JsonOption = False,
    json_file: JsonFileOption = None,
    html: HtmlOption = None,
    gallery: GalleryOption = None,
    against: AgainstOption = None,
    gate: GateOption = False,
    write_baseline: BaselineOption = False,
) -> None:
    """Measure the released models on pictures that share no plate with training.

    With --gate or --write-baseline on the project's own frozen pictures, which need no data.
    """
    if gate or write_baseline:
        _use_frozen(backend, is_kept=write_baseline)
        return
    from models.evaluation.pages.gallery import require_private_folder, write_gallery  # noqa: PLC0415 -- slow
    from models.evaluation.pages.report_page import report_page  # noqa: PLC0415 -- slow
    from models.evaluation.regression import falls, read_report  # noqa: PLC0415 -- slow
    from models.evaluation.report import (  # noqa: PLC0415 -- slow
        Extent,
        evaluate_models,
        evaluation_text,
        thresholds,
    )

    pool = require_pool(data)
    if gallery is not None:
        require_private_folder(gallery)
    earlier = None if against is None else read_report(against)
    measured = evaluate_models(
        model.names,
        pool=pool,
        splits=_splits(split),
        backend=backend,
        now=datetime.now(UTC),
        extent=Extent(),
        on_step=lambda step: typer.echo(step, err=True),
    )
    text = json.dumps(measured.document, indent=1)
    typer.echo(text if as_json else evaluation_text(measured.document))
    if json_file is not None:
        json_file.write_text(text + "\n", encoding="utf-8")
    if html is not None:
        html.write_text(report_page(measured.document), encoding="utf-8")
    if gallery is not None:
        written = write_gallery(
            gallery,
            cases=measured.cases,
            outcomes=measured.outcomes,
            pool=pool,
            min_confidences=thresholds(),
        )
        counts = "; ".join(f"{cause}: {count}" for cause, count in written.counts.items())
        typer.echo(f"{written.page} shows real plates; keep it to yourself. {counts}", err=as_json)
    if earlier is not None:
        fallen = falls(measured.document, earlier)
        typer.echo(
            "\n".join(map(str, fallen)) or f"nothing has fallen since {against}", err=as_json
        )
        raise typer.Exit(bool(fallen))


def _use_frozen(backend: Backend, *, is_kept: bool) -> None:
    """Measure on the frozen pictures; keep the figures, or hold them against the kept ones."""
    from models.evaluation.frozen import gate as gates  # noqa: PLC0415 -- slow
    from models.evaluation.frozen.pictures import read_frozen  # noqa: PLC0415 -- slow

    frozen = read_frozen()
    judgements = gates.measure_frozen(frozen, backend=backend)
    if is_kept:
        gates.write_baseline(gates.baseline_of(judgements, frozen_sha256=frozen.sha256))
    verdicts = gates.compare(judgements, gates.read_baseline(), frozen_sha256=frozen.sha256)
    typer.echo(gates.gate_text(verdicts))
    if any(one.has_fallen for one in verdicts):
        raise typer.Exit(1)


def _splits(choice: SplitChoice) -> tuple[Split, ...]:
    if choice is SplitChoice.BOTH:
        return Split.VALIDATION, Split.HOLD_OUT
    return (Split(choice.value),)
