# SPDX-License-Identifier: AGPL-3.0-or-later
"""Confines users of the served world to some of its sites."""

import psycopg

from tests.integration.api.world import PROVINCE, SITE_ID, World

OTHER_SITE = "cau-mo-bach"
INSIDE, OUTSIDE = "khu-trung-tam", "khu-phia-bac"


def make_areas(world: World) -> None:
    """Two areas: one with the world's site, one with another site where nothing passes."""
    with psycopg.connect(world.owner_url) as rows:
        rows.execute(
            "INSERT INTO site (id, province, name) VALUES (%s, %s, 'Cầu Mỏ Bạch')"
            " ON CONFLICT DO NOTHING",
            [OTHER_SITE, PROVINCE],
        )
        for area, site in ((INSIDE, SITE_ID), (OUTSIDE, OTHER_SITE)):
            rows.execute("INSERT INTO site_group VALUES (%s, 'Khu', now())", [area])
            rows.execute("INSERT INTO site_group_site VALUES (%s, %s)", [area, site])


def confine(world: World, username: str, area: str) -> None:
    """Let a user see the sites of one area, from the next request on."""
    with psycopg.connect(world.owner_url) as rows:
        rows.execute("UPDATE app_user SET reach = 'areas' WHERE username = %s", [username])
        rows.execute("DELETE FROM app_user_area")
        rows.execute(
            "INSERT INTO app_user_area SELECT id, %s FROM app_user WHERE username = %s",
            [area, username],
        )
