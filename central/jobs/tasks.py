# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every job by name. A name stays as long as a job of it may be queued."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from central.jobs import (
    audit_tasks,
    completeness_tasks,
    control_tasks,
    device_tasks,
    ledger_tasks,
    machine_tasks,
    national_tasks,
    notice_tasks,
    procedure_tasks,
    protection_tasks,
    storage_tasks,
    toll_tasks,
    traffic_tasks,
    webhook_tasks,
)
from central.jobs.context import Periodic, WorkTask

TASKS: Final[Mapping[str, WorkTask]] = MappingProxyType(
    {
        "send_live_frame_command": device_tasks.send_live_frame_command,
        "retry_quarantined": device_tasks.retry_quarantined,
        "judge_passages": control_tasks.judge_passages,
        "match_passages": toll_tasks.match_passages,
        "match_passage": toll_tasks.match_passage,
        "match_tag_read": toll_tasks.match_tag_read,
        "end_waiting": toll_tasks.end_waiting,
        "send_notice": notice_tasks.send_notice,
        "send_webhooks": webhook_tasks.send_webhooks,
        "sign_erasure_certificate": protection_tasks.sign_erasure_certificate,
        "issue_result_document": procedure_tasks.issue_result_document,
    }
)
"""Work that a feature defers in its own transaction, by the name under which it does so."""

PERIODIC: Final[tuple[Periodic, ...]] = (
    Periodic(name="seal_audit", cron="* * * * * */15", run=audit_tasks.seal_audit),
    Periodic(name="note_audit_roots", cron="13 * * * *", run=audit_tasks.note_audit_roots),
    Periodic(
        name="find_unusual_looks",
        cron="37 * * * *",
        run=protection_tasks.find_unusual_looks,
    ),
    Periodic(name="erase_by_date", cron="11 19 * * *", run=protection_tasks.erase_by_date),
    Periodic(name="forget_event_ids", cron="37 20 * * *", run=protection_tasks.forget_event_ids),
    Periodic(name="compress_old_chunks", cron="51 19 * * *", run=storage_tasks.compress_old_chunks),
    Periodic(name="verify_audit", cron="23 19 * * *", run=audit_tasks.verify_audit),
    Periodic(name="judge_forgotten", cron="*/5 * * * *", run=control_tasks.judge_forgotten),
    Periodic(name="trim_alert_feed", cron="*/5 * * * *", run=control_tasks.trim_alert_feed),
    Periodic(name="follow_gaps", cron="* * * * * */30", run=completeness_tasks.follow_gaps),
    Periodic(name="make_statements", cron="43 17 * * *", run=completeness_tasks.make_statements),
    Periodic(name="forget_live_frames", cron="* * * * *", run=device_tasks.forget_live_frames),
    Periodic(
        name="write_revocation_list", cron="7 18 * * *", run=device_tasks.write_revocation_list
    ),
    Periodic(name="match_forgotten", cron="*/5 * * * *", run=toll_tasks.match_forgotten),
    Periodic(name="match_long_forgotten", cron="41 20 * * *", run=toll_tasks.match_long_forgotten),
    Periodic(name="seal_ledger", cron="* * * * * */15", run=ledger_tasks.seal_ledger),
    Periodic(name="count_traffic", cron="* * * * * */15", run=traffic_tasks.count_traffic),
    Periodic(name="push_national", cron="* * * * * */30", run=national_tasks.push_national),
    Periodic(name="send_due_webhooks", cron="* * * * * */15", run=webhook_tasks.send_due_webhooks),
    Periodic(
        name="forget_webhook_deliveries",
        cron="31 * * * *",
        run=webhook_tasks.forget_webhook_deliveries,
    ),
    Periodic(name="forget_answers", cron="29 * * * *", run=machine_tasks.forget_answers),
    Periodic(
        name="seal_ledger_stragglers", cron="23 * * * *", run=ledger_tasks.seal_ledger_stragglers
    ),
)
"""Work of the features that comes back; the centre's housekeeping is listed in the worker."""
