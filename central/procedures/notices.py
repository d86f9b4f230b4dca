# SPDX-License-Identifier: AGPL-3.0-or-later
"""What applicants are told of their dossier: nothing that names a person, a vehicle or a reason.

A code can be guessed, so whatever stands on the public page must be harmless; reasons stand on
the forms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from central.domain.local_time import to_local
from central.notify.types import NewNotice
from central.procedures.rulebook.definition import Procedure
from central.procedures.types import ActionName, Dossier

SUBJECT_KIND: Final = "dossier"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """A notice with gaps: ``{code}``, ``{due}``, ``{papers}``, ``{result}``."""

    title: str
    body: str


_WORDS: Final[Mapping[ActionName, _Words]] = MappingProxyType(
    {
        ActionName.TAKE_IN: _Words(
            title="Hồ sơ {code} đã được tiếp nhận",
            body="Hẹn trả kết quả: {due}.",
        ),
        ActionName.REQUEST_SUPPLEMENT: _Words(
            title="Hồ sơ {code} cần được bổ sung",
            body="Giấy tờ cần bổ sung: {papers}. Thời hạn giải quyết tạm dừng đến khi nhận đủ. "
            "Nội dung chi tiết ghi trong Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ.",
        ),
        ActionName.RECEIVE_SUPPLEMENT: _Words(
            title="Đã nhận giấy tờ bổ sung của hồ sơ {code}",
            body="Thời hạn giải quyết được tính tiếp. Hẹn trả kết quả: {due}.",
        ),
        ActionName.APPROVE: _Words(
            title="Hồ sơ {code} đã được giải quyết",
            body="Kết quả: {result}. Mời người nộp hồ sơ nhận kết quả.",
        ),
        ActionName.REJECT: _Words(
            title="Hồ sơ {code} bị từ chối giải quyết",
            body="Lý do ghi trong Phiếu từ chối gửi người nộp hồ sơ.",
        ),
        ActionName.WITHDRAW: _Words(
            title="Hồ sơ {code} đã được rút", body="Hồ sơ dừng giải quyết theo yêu cầu."
        ),
        ActionName.HAND_OVER: _Words(
            title="Đã trả kết quả hồ sơ {code}", body="Kết quả: {result}."
        ),
    }
)


def notice_of(
    action: ActionName,
    dossier: Dossier,
    procedure: Procedure,
    *,
    papers: Sequence[str],
    email: str | None,
) -> NewNotice:
    """What an act has to tell, after it was done."""
    words = _WORDS[action]
    gaps = {
        "code": dossier.code,
        "due": moment_words(dossier.due_at),
        "papers": "; ".join(_paper_names(procedure, papers)) or "xem phiếu yêu cầu",
        "result": procedure.result.name.vi,
    }
    return NewNotice(
        subject_kind=SUBJECT_KIND,
        subject_id=dossier.code,
        template=f"dossier_{action.value}",
        title=words.title.format(**gaps),
        body=words.body.format(**gaps),
        email=email,
    )


def moment_words(instant: datetime) -> str:
    """An instant on Vietnam's clock, as ``09:15 ngày 24/02/2026``."""
    return f"{to_local(instant):%H:%M ngày %d/%m/%Y}"


def _paper_names(procedure: Procedure, papers: Sequence[str]) -> list[str]:
    found = (procedure.paper(name) for name in papers)
    return [paper.name.vi for paper in found if paper is not None]
