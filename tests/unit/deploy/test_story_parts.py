# SPDX-License-Identifier: AGPL-3.0-or-later
"""The story's cast, files and readings of pages; the story itself is a system test."""

from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from rich.console import Console

from central.domain.calendar_law import calendar_files, parse_calendar
from central.registry.importing.parsing import known_columns, parse_table
from central.registry.importing.reading import read_table
from central.registry.importing.types import FileOrigin, ImportKind
from central.tolling.day.provider_file import read_provider_file
from central.tolling.day.types import DayKey
from central.tolling.types import Crossing, CrossingState, LaneKey
from deploy.demo.story.browsing import PageError, page_of
from deploy.demo.story.cast import LANE_ORDER, Part, draw_cast
from deploy.demo.story.counter import EXAMPLES, WorkingTimeExample
from deploy.demo.story.files import PROVIDER, STATION, write_registry_files
from deploy.demo.story.results import StepResult, dong, show_story
from deploy.demo.story.tolls import write_provider_file

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def test_every_run_brings_another_truck_and_the_same_cars() -> None:
    first, second = draw_cast(1), draw_cast(2)

    assert first.truck.chassis != second.truck.chassis
    assert first.truck.plate != second.truck.plate
    for part in set(Part) - {Part.TRUCK}:
        assert first.members[part] == second.members[part]


def test_trucks_come_back_after_all_numbers_are_used() -> None:
    plates = {draw_cast(run).truck.plate for run in range(1, 2001)}

    assert len(plates) == 2000


def test_a_misread_vehicle_alone_gets_another_plate() -> None:
    first, redrawn = draw_cast(3), draw_cast(3, {Part.CLEAN: 1})

    changed = {part for part in Part if first.members[part] != redrawn.members[part]}
    assert changed == {Part.CLEAN}


def test_tags_are_twelve_bytes_and_one_car_carries_another_vehicles() -> None:
    cast = draw_cast(1)

    epcs = {each.epc for each in cast.members.values()}
    assert len(epcs) == len(cast.members)
    assert all(len(bytes.fromhex(epc)) == 12 for epc in epcs)
    swapped = cast.members[Part.SWAPPED]
    assert cast.tag_carried_by(swapped) == cast.members[Part.ABSENT].epc != swapped.epc
    assert [each.part for each in cast.in_lane()] == list(LANE_ORDER)


@pytest.mark.parametrize("example", EXAMPLES)
def test_deadlines_worked_out_by_hand_agree_with_the_calendar(example: WorkingTimeExample) -> None:
    path = calendar_files()[-1]
    stated = parse_calendar(path.read_text(encoding="utf-8"), file_name=path.name)

    until = stated.calendar().add_working_days(example.from_at, days=example.days)

    assert until == example.until_at


def test_a_page_is_read_as_a_browser_without_scripts_sends_it() -> None:
    page = page_of(
        "http://127.0.0.1/console/x",
        200,
        """<p>Xe <b>tải</b><script>no()</script></p><a href="/console/y?z=1">y</a>
        <form method="post" action="/console/x/act"><input type="hidden" name="version" value="3">
        <select name="kind"><option value="">-</option><option value="a" selected>A</option>
        </select>
        <select name="first"><option value="1">1</option><option value="2">2</option></select>
        <input type="checkbox" name="no" value="yes"><input type="checkbox" name="on" checked>
        <textarea name="why"></textarea><button type="submit">go</button></form>""",
    )

    form = page.form(to="/act")
    assert form.method == "post"
    assert form.values == {
        "version": ["3"],
        "kind": ["a"],
        "first": ["1"],
        "on": ["on"],
        "why": [""],
    }
    assert form.names == {"version", "kind", "first", "no", "on", "why"}
    assert page.text == "Xe tải y - A 1 2 go"
    assert page.link("z=1") == "/console/y?z=1"
    assert page.value_of("version") == "3"
    with pytest.raises(PageError, match="no form"):
        page.form(to="/other")


def test_a_step_is_right_only_when_something_was_found_and_all_of_it_is_right() -> None:
    empty, good = StepResult(title="a"), StepResult(title="a")
    good.tell("seen")
    good.check(is_right=True, text="so")
    step = StepResult(title="a", page="http://127.0.0.1/console/tolls")
    step.tell("seen")
    step.check(is_right=False, text="so", otherwise="not so")

    assert [empty.is_right, good.is_right, step.is_right] == [False, True, False]
    assert step.findings[-1].text == "not so"
    written = StringIO()
    show_story(Console(file=written, width=100), [step], page_root="http://127.0.0.1")
    assert "NOT AS IT MUST BE" in written.getvalue()
    assert "1 of 1 steps are not as they must be" in written.getvalue()
    assert dong(1_234_500) == "1.234.500 đ"


def test_the_providers_file_lacks_one_charge_and_has_one_of_nobody(tmp_path: Path) -> None:
    charges = [charge(35_000), charge(75_000)]
    path = tmp_path / "vetc.csv"

    extra = write_provider_file(path, charges, left_out=charges[0].id)

    key = DayKey(station_id=STATION, day=TODAY)
    read = read_provider_file(path.read_bytes(), name=path.name, provider=PROVIDER, key=key)
    assert {row.crossing_id for row in read.rows} == {charges[1].id, extra}


def test_only_the_bad_file_has_a_bad_row(tmp_path: Path) -> None:
    files = write_registry_files(tmp_path, draw_cast(1), today=TODAY)

    assert set(files.good) == set(ImportKind)
    assert {kind: problems_of(path, kind) for kind, path in files.good.items()} == {
        kind: [] for kind in ImportKind
    }
    assert files.bad.read_bytes().startswith(b"\xef\xbb\xbf")
    assert problems_of(files.bad, ImportKind.PLATES) == [(3, "valid_from")]


def problems_of(path: Path, kind: ImportKind) -> list[tuple[int, str]]:
    """Lines and columns that the real import refuses."""
    table = read_table(path, known_columns=known_columns(kind), rows_max=100)
    origin = FileOrigin(source="s", as_of=TODAY)
    parsed = parse_table(table, kind, origin=origin, today=TODAY)
    return [(each.line, each.column) for each in parsed.problems]


def charge(amount_dong: int) -> Crossing:
    return Crossing(
        id=uuid4(),
        lane=LaneKey(station_id=STATION, number=1),
        station_name="Trạm",
        is_expressway=False,
        crossed_at=NOW,
        booked_on=TODAY,
        passage_id=UUID(int=1),
        tag_read_id=UUID(int=2),
        state=CrossingState.CHARGED,
        reason=None,
        plate_text="47C21356",
        plate_colour=None,
        class_seen=None,
        epc=None,
        vehicle_id=None,
        account_number="TK-1",
        vehicle_group=3,
        tariff_id=None,
        amount_dong=amount_dong,
        ledger_entry_id=None,
        refund_entry_id=None,
        facts=(),
        is_late=False,
        version=1,
        created_at=NOW,
        decided_at=None,
        decided_by=None,
    )
