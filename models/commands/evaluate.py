# SPDX-License-Identifier: AGPL-3.0-or-later
"""``evaluate``: the released models on pictures that training never saw."""

import json
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
from models.runtime.values import Backend


def evaluate(
    model: ModelArgument = ModelChoice.ALL,
    data: DataOption = DEFAULT_POOL_FOLDER,
    split: Annotated[SplitChoice, typer.Option("--split")] = SplitChoice.VALIDATION,
    backend: BackendOption = Backend.AUTO,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Measure the released models on pictures that share no plate with training."""
    from models.evaluation.report import evaluation_document, evaluation_text  # noqa: PLC0415 -- slow

    document = evaluation_document(
        model.names, pool=require_pool(data), split=split.value, backend=backend
    )
    typer.echo(json.dumps(document, indent=2) if as_json else evaluation_text(document))
