# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sites as the map and its list show them: the worst of their devices decides."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.console.filters import LIST_PATH as PASSAGES_PATH
from api.console.health import HealthView, device_views
from api.pages.i18n import Speech
from central.sites.types import DeviceOverview, PlacedSite

SIGNS: Final = (("ok", "sure"), ("warn", "clock"), ("bad", "warning"))
"""Tone and icon, the best first."""

_ORDER: Final = ("bad", "warn", "ok")
_ICONS: Final = dict(SIGNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """A site with its health.

    Attributes:
        position: Latitude and longitude; ``None`` where nobody told them.
        states: How many cameras, or devices without one, are in each state; the worst first.
    """

    id: str
    name: str
    url: str
    tone: str
    icon: str
    position: tuple[float, float] | None
    passages: str
    states: tuple[tuple[str, int], ...]


def site_views(
    sites: Sequence[PlacedSite],
    *,
    devices: Sequence[DeviceOverview],
    passages: Mapping[str, int],
    speech: Speech,
    now: datetime,
) -> tuple[SiteView, ...]:
    """Sites with what needs somebody first."""
    health: defaultdict[str, list[HealthView]] = defaultdict(list)
    for device in devices:
        health[device.site_id].extend(device_views(device, names={}, speech=speech, now=now))
    views = [
        _view(site, health[site.id], passages=passages.get(site.id, 0), speech=speech)
        for site in sites
    ]
    return tuple(sorted(views, key=lambda view: (_ORDER.index(view.tone), view.name)))


def _view(
    site: PlacedSite, health: Sequence[HealthView], *, passages: int, speech: Speech
) -> SiteView:
    """One site; without any device it waits for one."""
    tones = {each.tone for each in health} or {"warn"}
    tone = min(tones, key=_ORDER.index)
    by_tone = sorted(health, key=lambda each: _ORDER.index(each.tone))
    return SiteView(
        id=site.id,
        name=site.name,
        url=f"{PASSAGES_PATH}?place={site.id}",
        tone=tone,
        icon=_ICONS[tone],
        position=(
            (site.latitude, site.longitude)
            if site.latitude is not None and site.longitude is not None
            else None
        ),
        passages=speech.number(passages),
        states=tuple(Counter(each.state for each in by_tone).items()),
    )
