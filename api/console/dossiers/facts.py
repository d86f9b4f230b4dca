# SPDX-License-Identifier: AGPL-3.0-or-later
"""Facts of guards, and working time, in one language."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from api.console.plates import plate_words
from api.pages.i18n import MISSING, Language, Speech
from central.domain.permits import permit_kinds
from central.domain.working_time import MINUTES_PER_DAY
from central.procedures.rulebook.definition import Procedure
from central.procedures.types import Fact, FactOutcome, RequestValue, Term

_MINUTES_PER_HOUR: Final = 60
_HIDDEN: Final = frozenset({"badge_id", "permit_id", "is_single_trip"})
_DAYS: Final = frozenset(
    {
        "valid_from",
        "valid_until",
        "badge_valid_until",
        "inspected_until",
        "permit_valid_until",
        "transport_licence_valid_until",
    }
)
_GROUPS: Final = {"plate_colour": "plate_colours", "vehicle_kind": "vehicle_kinds"}
_OF_WHO_DECIDES: Final = frozenset({"decided_by_another"})
"""Guards that look at whoever acts: they say nothing about somebody who can't decide."""
_LOOKS: Final = {
    FactOutcome.HOLDS: ("ok", "sure"),
    FactOutcome.FAILS: ("bad", "warning"),
    FactOutcome.UNKNOWN: ("warn", "unknown"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueView:
    """Something that a guard saw.

    Attributes:
        name: Code of its label.
        group: Group of labels in which the value is a word; ``None`` where it is shown as it is.
    """

    name: str
    group: str | None
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """A fact with its source and age.

    Attributes:
        outcome: Code of its word; ``later`` for what is looked at when somebody decides.
        tone: ``ok``, ``warn``, ``bad`` or ``plain``; icon and words say the same.
        is_against: Whether the act is refused because of it.
        source: ``None`` when it comes from the dossier itself.
    """

    name: str
    outcome: str
    tone: str
    icon: str
    is_against: bool
    values: tuple[ValueView, ...]
    source: str | None
    as_of: str
    age: str
    legal_basis: str


def fact_view(fact: Fact, procedure: Procedure, speech: Speech, *, today: date) -> FactView:
    """A fact in one language."""
    tone, icon = _LOOKS[fact.outcome]
    if fact.outcome is FactOutcome.FAILS and not fact.is_obstacle:
        tone = "warn"
    return FactView(
        name=fact.name,
        outcome=fact.outcome,
        tone=tone,
        icon=icon,
        is_against=fact.stands_against,
        values=tuple(
            _value_view(name, value, procedure, speech)
            for name, value in fact.values.items()
            if name not in _HIDDEN
        ),
        source=fact.source,
        as_of=speech.day(fact.as_of) if fact.as_of else "",
        age=speech.ago(today - fact.as_of) if fact.as_of else "",
        legal_basis=fact.legal_basis,
    )


def fact_view_today(
    fact: Fact, procedure: Procedure, speech: Speech, *, today: date, may_decide: bool
) -> FactView:
    """A fact of an open dossier, as it concerns whoever looks."""
    seen = fact_view(fact, procedure, speech, today=today)
    if may_decide or fact.name not in _OF_WHO_DECIDES:
        return seen
    return replace(seen, outcome="later", tone="plain", icon="clock", is_against=False, values=())


def word(term: Term, speech: Speech) -> str:
    """A procedure's word in the reader's language."""
    return term.vi if speech.language is Language.VI else term.en


def working_time(minutes: int, speech: Speech) -> str:
    """A length of office hours, as "1 day 3 hours"; a working day has eight."""
    _ = speech.text
    days, rest = divmod(abs(minutes), MINUTES_PER_DAY)
    hours, left = divmod(rest, _MINUTES_PER_HOUR)
    if days:
        return _("%(days)s d %(hours)s h of working time") % {"days": days, "hours": hours}
    return _("%(hours)s h %(minutes)s min of working time") % {"hours": hours, "minutes": left}


def _value_view(
    name: str, value: RequestValue | None, procedure: Procedure, speech: Speech
) -> ValueView:
    group = _GROUPS.get(name)
    if value is None:
        return ValueView(name=name, group=None, value=MISSING)
    text = str(value)
    if name in _DAYS:
        text = speech.day(date.fromisoformat(text))
    elif name == "ask_until":
        text = speech.minute_and_date(datetime.fromisoformat(text))
    elif name == "plate_text":
        text = plate_words(text)
    elif name == "permit_kind":
        text = _permit_kind_words(text, speech)
    else:
        fields = [field for field in procedure.request if field.field == name]
        text = word(fields[0].words(value), speech) if fields else text
    return ValueView(name=name, group=group, value=text)


def _permit_kind_words(kind: str, speech: Speech) -> str:
    """A kind of permit in the law's words."""
    for each in permit_kinds():
        if each.kind == kind:
            return each.name if speech.language is Language.VI else each.name_en
    return kind
