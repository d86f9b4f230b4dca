# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every job by name. A name stays as long as a job of it may be queued."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from central.jobs import control_tasks
from central.jobs.context import Periodic, WorkTask

TASKS: Final[Mapping[str, WorkTask]] = MappingProxyType(
    {
        "judge_passages": control_tasks.judge_passages,
    }
)
"""Work that a feature defers in its own transaction, by the name under which it does so."""

PERIODIC: Final[tuple[Periodic, ...]] = (
    Periodic(name="judge_forgotten", cron="*/5 * * * *", run=control_tasks.judge_forgotten),
    Periodic(name="trim_alert_feed", cron="*/5 * * * *", run=control_tasks.trim_alert_feed),
)
"""Work of the features that comes back; the centre's housekeeping is listed in the worker."""
