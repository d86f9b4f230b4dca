# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which slices of one report are lower than in an earlier one, by more than chance.

For figures on pictures of the pool, whose cases are not kept: Fisher's exact
test of two shares, corrected after Holm. It knows nothing of the pictures being
the same, so it is slower to speak than the gate on the frozen ones.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import DatasetError
from models.evaluation.document import SCHEMA, EvaluationDocument, ShareDocument
from models.evaluation.figures.comparison import holm, lower_share_p
from models.evaluation.figures.intervals import Share

LIMIT: Final = 0.05
LOWER_IS_BETTER: Final = frozenset({"answered_wrong"})
COMPARED: Final = frozenset(
    {"recall", "precision", "label_accuracy", "exact", "fused", "answered_wrong"}
)
_MAX_BYTES: Final = 20_000_000
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """A share that is worse than before by more than chance."""

    subject: str
    data: str
    slice_name: str
    share: str
    before: Share
    now: Share
    p_value: float

    def __str__(self) -> str:
        return (
            f"{self.subject}, {self.data}, {self.slice_name}: {self.share} was {self.before},"
            f" is {self.now}, p {self.p_value:.2g}"
        )


def falls(now: EvaluationDocument, before: EvaluationDocument) -> tuple[Fall, ...]:
    """Shares that both reports have and that fell, the surest first."""
    earlier = dict(_shares(before))
    found = [
        Fall(
            subject=key[0],
            data=key[1],
            slice_name=key[2],
            share=key[3],
            before=earlier[key],
            now=share,
            p_value=_p_value(key[3], now=share, before=earlier[key]),
        )
        for key, share in _shares(now)
        if key in earlier
    ]
    corrected = holm([one.p_value for one in found])
    fallen = [one for one, p in zip(found, corrected, strict=True) if p < LIMIT]
    return tuple(sorted(fallen, key=lambda one: one.p_value))


def read_report(path: Path) -> EvaluationDocument:
    """An earlier report.

    Raises:
        DatasetError: It is missing, or no report of this schema.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DatasetError(f"{path.name} is too large for a report")
        values: EvaluationDocument = json.loads(path.read_text(encoding="utf-8"))
        schema = values["schema"]
    except OSError as error:
        raise DatasetError(f"{path.name} can not be read") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path.name} is no report") from error
    if schema != SCHEMA:
        raise DatasetError(f"{path.name} has another schema than {SCHEMA}")
    return values


def _shares(document: EvaluationDocument) -> Iterator[tuple[_Key, Share]]:
    for one in document["measurements"]:
        for part in one["slices"]:
            for name, share in part["shares"].items():
                if name in COMPARED and share["trials"]:
                    key = (one["subject"], one["data"], part["slice"], name)
                    yield key, _share_of(share)


def _share_of(share: ShareDocument) -> Share:
    trials = share["trials"]
    return Share(successes=round((share["value"] or 0.0) * trials), trials=trials)


def _p_value(name: str, *, now: Share, before: Share) -> float:
    if name in LOWER_IS_BETTER:
        return lower_share_p(before, now)
    return lower_share_p(now, before)
