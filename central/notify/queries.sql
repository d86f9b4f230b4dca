-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: insert_notice
-- Keeps a notice: one for the page is sent at once, an e-mail waits for its job.
INSERT INTO notice (
  id, subject_kind, subject_id, template, channel, address, title, body, state, created_at, sent_at
)
VALUES (
  %(id)s::uuid, %(subject_kind)s::text, %(subject_id)s::text, %(template)s::text,
  %(channel)s::text, %(address)s::text, %(title)s::text, %(body)s::text, %(state)s::text,
  %(now)s::timestamptz, %(sent_at)s::timestamptz
);

-- name: select_notices
-- Notices of one subject in one channel, newest first.
SELECT
  id, subject_kind, subject_id, template, channel, address, title, body, state, attempts,
  created_at, sent_at, failure
  FROM notice
 WHERE subject_kind = %(subject_kind)s::text
   AND subject_id = %(subject_id)s::text
   AND channel = %(channel)s::text
 ORDER BY created_at DESC, id DESC
 LIMIT %(rows_max)s::integer;

-- name: lock_notice
-- One notice, locked until the commit so that two workers don't send it twice.
SELECT
  id, subject_kind, subject_id, template, channel, address, title, body, state, attempts,
  created_at, sent_at, failure
  FROM notice
 WHERE id = %(id)s::uuid
 ORDER BY id
 LIMIT 1
   FOR NO KEY UPDATE;

-- name: update_notice_sent
-- The mail server has taken the e-mail.
UPDATE notice
   SET state = 'sent', attempts = attempts + 1, sent_at = %(now)s::timestamptz, failure = NULL
 WHERE id = %(id)s::uuid;

-- name: update_notice_failed
-- An attempt failed: it stays queued, or is given up.
UPDATE notice
   SET state = %(state)s::text, attempts = attempts + 1, failure = %(failure)s::text
 WHERE id = %(id)s::uuid;
