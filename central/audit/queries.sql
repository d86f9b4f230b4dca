-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The log has no scope: everybody writes into it, and only those who may see all of it read it.

-- name: insert_entry
-- Write one act down.
INSERT INTO audit_entry
       (occurred_at, actor_kind, actor, actor_role, action, outcome, subject_kind, subject_id,
        purpose, case_reference, request_id, detail)
VALUES (%(occurred_at)s, %(actor_kind)s, %(actor)s, %(actor_role)s, %(action)s, %(outcome)s,
        %(subject_kind)s, %(subject_id)s, %(purpose)s, %(case_reference)s, %(request_id)s,
        %(detail)s)
RETURNING id;
