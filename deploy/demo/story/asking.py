# SPDX-License-Identifier: AGPL-3.0-or-later
"""Asks what programs ask: which vehicle is this, may it cross to Laos, may this driver drive it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from central.domain.local_time import local_date
from deploy.demo.story.browsing import OK, PageReader
from deploy.demo.story.cast import Cast, Part
from deploy.demo.story.files import driver_of, suspended_driver_of, unknown_driver_of
from deploy.demo.story.results import StepResult

PURPOSE: Final = "traffic_control"
NOT_FOUND: Final = 404
UNKNOWN_CHASSIS: Final = "LTDEMO0UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and the answer that it must get."""

    asked: str
    path: str
    body: Mapping[str, object]
    wanted: str


def questions(cast: Cast, *, today: date) -> Sequence[Question]:
    """What is asked; the last two of each kind are ``no`` and ``unknown``, which differ."""
    truck = {"plate": cast.truck.plate, "plate_colour": cast.truck.colour.value}
    car = {"chassis_number": cast.members[Part.CLEAN].chassis}
    nobody = {"chassis_number": UNKNOWN_CHASSIS}
    laos, licence = "/v1/permits/check", "/v1/licences/check"
    return (
        Question(asked="may the truck cross to Laos today?", path=laos, body=truck, wanted="yes"),
        Question(
            asked="may the clean car, whose permit has run out?", path=laos, body=car, wanted="no"
        ),
        Question(asked="may an unknown vehicle?", path=laos, body=nobody, wanted="unknown"),
        Question(
            asked="may the driver with class C drive the truck?",
            path=licence,
            body={**truck, "licence_number": driver_of(today), "trailer": "none"},
            wanted="yes",
        ),
        Question(
            asked="may a driver whose licence is suspended?",
            path=licence,
            body={**truck, "licence_number": suspended_driver_of(today), "trailer": "none"},
            wanted="no",
        ),
        Question(
            asked="may a driver whom the registry does not know?",
            path=licence,
            body={**truck, "licence_number": unknown_driver_of(today), "trailer": "none"},
            wanted="unknown",
        ),
    )


def ask(program: PageReader, cast: Cast, *, now: datetime, page_root: str) -> StepResult:
    """Put every question and compare the answers."""
    step = StepResult(title="8 · What programs ask", page=f"{page_root}/v1/openapi.json")
    found = program.post_json(
        "/v1/vehicles/lookup", {"chassis_number": cast.truck.chassis, "purpose": PURPOSE}
    )
    step.check(
        found.status_code == OK and cast.truck.plate in found.text,
        f"POST /v1/vehicles/lookup by chassis number: {cast.truck.plate}, badge and owner",
    )
    unknown = program.post_json(
        "/v1/vehicles/lookup", {"chassis_number": UNKNOWN_CHASSIS, "purpose": PURPOSE}
    )
    step.check(unknown.status_code == NOT_FOUND, "a vehicle that nobody knows: 404, not invalid")
    for each in questions(cast, today=local_date(now)):
        _put(step, program, each)
    refused = program.post_json("/v1/permits/check", {"chassis_number": UNKNOWN_CHASSIS})
    step.check(refused.status_code not in {OK, NOT_FOUND}, "without a purpose: refused")
    return step


def _put(step: StepResult, program: PageReader, question: Question) -> None:
    answer = program.post_json(question.path, {**question.body, "purpose": PURPOSE})
    if answer.status_code != OK:
        step.check(is_right=False, text=f"{question.asked} answered {answer.status_code}")
        return
    verdict = answer.json()
    step.check(
        verdict["answer"] == question.wanted,
        f"POST {question.path}: {question.asked} {verdict['answer'].upper()}",
        otherwise=f"{question.asked} {verdict['answer']} and not {question.wanted}",
    )
    for reason in verdict["reasons"]:
        if reason["answer"] != verdict["answer"]:
            continue
        basis = reason["legal_basis"]
        law = f" ({basis['reference']})" if basis else ""
        facts = ", ".join(f"{fact['name']} = {fact['value']}" for fact in reason["facts"])
        step.tell(f"  {reason['code']}{law}: {facts or 'no facts'}")
