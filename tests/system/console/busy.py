# SPDX-License-Identifier: AGPL-3.0-or-later
"""A world in which every page has something to show, for walks through all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.integration.api.dossiers import PLATE, dossier_world
from tests.integration.api.tolling import toll_world
from tests.integration.api.world import World
from tests.system.console.test_every_page import SEES_ALL, _close_day, _judge, _misunderstand


@contextmanager
def busy_roads(world: World) -> Iterator[None]:
    """Something on every page of roads and tolls."""
    with toll_world(world) as station:
        now = datetime.now(UTC)
        station.truck(now - timedelta(hours=1))
        station.car(now - timedelta(minutes=50), tag=None)
        station.work(now=now)
        _judge(world)
        _misunderstand(world)
        _close_day(world, now)
        yield


@contextmanager
def busy_office(world: World) -> Iterator[None]:
    """Something on every page of dossiers and citizens."""
    with dossier_world(world) as office, world.signed_in_as(SEES_ALL) as clerk:
        office.take_in(clerk)
        asked = {"kind": "erasure", "plate": PLATE, "applicant": "Bà X", "statement": "Xin xóa"}
        assert clerk.post("/console/protection/requests", data=asked).status_code == 303
        yield
