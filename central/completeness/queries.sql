-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: select_ledger
-- Devices that the caller may see with what each of their outboxes owed and delivered on a day, by
-- device and outbox from one place on. Numbers after the highest one received belong to the last
-- day on which something came. Names of devices are compared by another collation than the one that
-- the quarantine's index is sorted by, so that one is named.
SELECT device.id AS device_id, device.site_id, site.name AS site_name,
       device.enabled AS is_enabled,
       device_status.outbox_id AS told_outbox_id, device_status.received_at AS heard_at,
       device_status.is_silent, device_status.outbox_events AS told_events,
       (device_status.report ->> 'outbox_last_seq')::bigint AS told_last_seq,
       unnumbered.messages AS unnumbered,
       coalesce(account.stream_id, 0) AS stream_id, account.outbox_id, account.first_received_at,
       account.last_received_at, account.due_first, account.due_last,
       CASE WHEN account.due_first <= account.due_last
         THEN account.held * int8multirange(int8range(account.due_first, account.due_last, '[]'))
         ELSE '{}'::int8multirange
       END AS held,
       coalesce(account.stored_count, 0) AS arrived, coalesce(account.late_count, 0) AS late,
       coalesce(account.doubled_count, 0) AS doubled
  FROM device
  INNER JOIN site ON site.id = device.site_id
  LEFT JOIN device_status ON device_status.device_id = device.id
  CROSS JOIN LATERAL (
         SELECT count(*) AS messages
           FROM quarantine
          WHERE quarantine.device_id = device.id::text COLLATE "default"
            AND quarantine.outbox_id IS NULL
            AND quarantine.resolution IS DISTINCT FROM 'stored'
            AND quarantine.resolved_at IS NULL
            AND quarantine.received_at >= %(day_began_at)s
            AND quarantine.received_at < %(day_ended_at)s
       ) AS unnumbered
  LEFT JOIN LATERAL (
         SELECT device_stream.id AS stream_id, device_stream.outbox_id, device_stream.held,
                device_stream.first_received_at, device_stream.last_received_at,
                of_day.stored_count, of_day.late_count, of_day.doubled_count,
                coalesce(earlier.last_seq, 0) + 1 AS due_first,
                greatest(
                  of_day.last_seq,
                  CASE WHEN NOT later.has_days THEN device_stream.announced_seq END
                ) AS due_last
           FROM device_stream
           LEFT JOIN device_day AS of_day
             ON of_day.stream_id = device_stream.id AND of_day.day = %(day)s
           CROSS JOIN LATERAL (
                  SELECT max(device_day.last_seq) AS last_seq, count(*) > 0 AS has_days
                    FROM device_day
                   WHERE device_day.stream_id = device_stream.id AND device_day.day < %(day)s
                ) AS earlier
           CROSS JOIN LATERAL (
                  SELECT count(*) > 0 AS has_days
                    FROM (
                           SELECT device_day.day
                             FROM device_day
                            WHERE device_day.stream_id = device_stream.id
                              AND device_day.day > %(day)s
                            ORDER BY device_day.day
                            LIMIT 1
                         ) AS next_day
                ) AS later
          WHERE device_stream.device_id = device.id
            AND (
              of_day.day IS NOT NULL
              OR (
                NOT earlier.has_days AND NOT later.has_days
                AND device_stream.announced_seq > 0
                AND device_stream.first_received_at >= %(day_began_at)s
                AND device_stream.first_received_at < %(day_ended_at)s
              )
            )
       ) AS account ON TRUE
 WHERE (%(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[]))
   AND (%(device_id)s::text IS NULL OR device.id = %(device_id)s::text)
   AND device.id >= %(after_device)s::text
   AND (device.id, coalesce(account.stream_id, 0))
   > (%(after_device)s::text, %(after_stream)s::bigint)
 ORDER BY device.id, coalesce(account.stream_id, 0)
 LIMIT %(rows_max)s;

-- name: select_held_back
-- Messages with a number that are in quarantine or were dropped, of the numbers that outboxes owed;
-- no scope, as the outboxes come from a query that has one. A number that was used twice is a row.
SELECT wanted.stream_id, quarantine.id, quarantine.seq, quarantine.reason,
       quarantine.resolved_at IS NOT NULL AS is_dropped, quarantine.received_at
  FROM unnest(
         %(stream_ids)s::bigint[], %(device_ids)s::text[], %(outbox_ids)s::uuid[],
         %(firsts)s::bigint[], %(lasts)s::bigint[]
       ) AS wanted (stream_id, device_id, outbox_id, due_first, due_last)
  INNER JOIN quarantine
    ON quarantine.device_id = wanted.device_id
      AND quarantine.outbox_id = wanted.outbox_id
      AND quarantine.seq BETWEEN wanted.due_first AND wanted.due_last
 WHERE quarantine.resolution IS DISTINCT FROM 'stored'
   AND quarantine.reason <> 'seq_reused'
 ORDER BY wanted.stream_id ASC, quarantine.seq ASC, quarantine.id DESC
 LIMIT %(rows_max)s;

-- name: select_noted_gaps
-- Since when numbers of some outboxes have been missed; no scope, as the outboxes come from a query
-- that has one.
SELECT stream_id, first_seq, last_seq, noticed_at, overdue_at IS NOT NULL AS is_overdue
  FROM device_gap
 WHERE stream_id = any(%(stream_ids)s::bigint[])
   AND filled_at IS NULL
 ORDER BY stream_id, first_seq
 LIMIT %(rows_max)s;

-- name: note_gaps
-- Remember since when numbers are missed that are not remembered yet; a job asks, for every site.
INSERT INTO device_gap (stream_id, first_seq, last_seq, noticed_at)
SELECT device_stream.id AS stream_id, lower(hole.numbers) AS first_seq,
       upper(hole.numbers) - 1 AS last_seq, %(now)s AS noticed_at
  FROM device_stream
  CROSS JOIN LATERAL (
         SELECT range_agg(int8range(device_gap.first_seq, device_gap.last_seq, '[]')) AS numbers
           FROM device_gap
          WHERE device_gap.stream_id = device_stream.id
       ) AS known
  CROSS JOIN LATERAL unnest(
         int8multirange(
           int8range(
             1, greatest(device_stream.announced_seq, upper(device_stream.held) - 1, 0) + 1
           )
         ) - device_stream.held - coalesce(known.numbers, '{}'::int8multirange)
       ) AS hole (numbers)
 ORDER BY device_stream.id, lower(hole.numbers)
 LIMIT %(rows_max)s
ON CONFLICT (stream_id, first_seq) DO NOTHING;

-- name: delete_filled_gaps
-- Forget gaps whose numbers have come without an alarm.
DELETE FROM device_gap
 USING device_stream
 WHERE device_stream.id = device_gap.stream_id
   AND device_gap.overdue_at IS NULL
   AND device_stream.held @> int8range(device_gap.first_seq, device_gap.last_seq, '[]');

-- name: end_overdue_gaps
-- End the alarm of gaps whose numbers have come after all.
UPDATE device_gap
   SET filled_at = %(now)s
  FROM device_stream
 WHERE device_stream.id = device_gap.stream_id
   AND device_gap.overdue_at IS NOT NULL
   AND device_gap.filled_at IS NULL
   AND device_stream.held @> int8range(device_gap.first_seq, device_gap.last_seq, '[]');

-- name: select_open_gaps
-- Gaps without an alarm that were noticed before a time, with what is left of them and what is
-- known of their outboxes; a job asks, for every site.
SELECT device_gap.stream_id, device_stream.device_id, device.site_id, device_gap.first_seq,
       device_gap.noticed_at,
       int8multirange(int8range(device_gap.first_seq, device_gap.last_seq, '[]'))
       - device_stream.held AS missing,
       device_stream.outbox_id, device_stream.first_received_at, device_stream.last_received_at,
       device_status.outbox_id AS told_outbox_id, device_status.received_at AS heard_at,
       device_status.is_silent, device_status.outbox_events AS told_events,
       (device_status.report ->> 'outbox_last_seq')::bigint AS told_last_seq
  FROM device_gap
  INNER JOIN device_stream ON device_stream.id = device_gap.stream_id
  INNER JOIN device ON device.id = device_stream.device_id
  LEFT JOIN device_status ON device_status.device_id = device_stream.device_id
 WHERE device_gap.overdue_at IS NULL
   AND device_gap.noticed_at < %(noticed_before)s
   AND (device_gap.stream_id, device_gap.first_seq)
   > (%(after_stream)s::bigint, %(after_seq)s::bigint)
 ORDER BY device_gap.stream_id, device_gap.first_seq
 LIMIT %(rows_max)s;

-- name: mark_overdue_gaps
-- Begin the alarm of gaps.
UPDATE device_gap
   SET overdue_at = %(now)s
  FROM unnest(%(stream_ids)s::bigint[], %(first_seqs)s::bigint[]) AS named (stream_id, first_seq)
 WHERE device_gap.stream_id = named.stream_id
   AND device_gap.first_seq = named.first_seq
   AND device_gap.overdue_at IS NULL;

-- name: lock_statements
-- Make others who state something about a day wait until the commit.
SELECT pg_advisory_xact_lock(hashtextextended('completeness:' || %(day)s::text, 0)) AS locked;

-- name: insert_statement
-- Keep a statement; earlier ones about the day stay.
INSERT INTO completeness_statement
       (day, revision, made_at, made_by, content, content_sha256, signed_by, document_id,
        due_count, stored_count, gap_count)
VALUES (%(day)s, %(revision)s, %(made_at)s, %(made_by)s, %(content)s,
        decode(%(content_sha256)s, 'hex'), %(signed_by)s, %(document_id)s, %(due_count)s,
        %(stored_count)s, %(gap_count)s)
RETURNING day, revision, made_at, made_by, encode(content_sha256, 'hex') AS content_sha256,
          signed_by, document_id, due_count, stored_count, gap_count;

-- name: select_statements
-- Statements before a place, newest day and revision first; the caller has checked that the user
-- sees the whole province.
SELECT day, revision, made_at, made_by, encode(content_sha256, 'hex') AS content_sha256,
       signed_by, document_id, due_count, stored_count, gap_count
  FROM completeness_statement
 WHERE (%(day)s::date IS NULL OR day = %(day)s::date)
   AND (day, revision) < (%(before_day)s::date, %(before_revision)s::integer)
 ORDER BY day DESC, revision DESC
 LIMIT %(rows_max)s;

-- name: select_statement_content
-- The signed file of one statement; the caller has checked that the user sees the whole province.
SELECT content
  FROM completeness_statement
 WHERE day = %(day)s
   AND revision = %(revision)s;

-- name: select_days_to_state
-- Days since one on which anything came from any device, ascending; a job asks.
SELECT DISTINCT day
  FROM device_day
 WHERE day >= %(first_day)s
   AND day < %(today)s
 ORDER BY day
 LIMIT %(rows_max)s;
