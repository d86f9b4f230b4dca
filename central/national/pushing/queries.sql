-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Handing up serves the whole province, so that none of its queries takes a scope.

-- name: select_due
-- Sheets whose newest version was not answered, the earliest first: hours that are over (those of
-- the last day also when nothing passed), closed days of tolls, and stated days. What is only added
-- to counts as well: of two that are made at once, the earlier may become visible last.
WITH newest AS (
  SELECT 'traffic_hour' AS kind, hour_at AS starts_at, changed_at AS revised_at
    FROM passage_hour_change
   WHERE hour_at < %(hours_before)s
   UNION ALL
  SELECT 'traffic_hour' AS kind, quiet.hour_at AS starts_at,
         quiet.hour_at + interval '1 hour' AS revised_at
    FROM generate_series(
           date_trunc('hour', %(hours_before)s::timestamptz) - interval '1 day',
           %(hours_before)s::timestamptz - interval '1 microsecond',
           interval '1 hour'
         ) AS quiet (hour_at)
   WHERE NOT EXISTS (SELECT 1 FROM passage_hour_change WHERE hour_at = quiet.hour_at)
   UNION ALL
  SELECT 'toll_day' AS kind, booked_on::timestamp AT TIME ZONE %(zone)s AS starts_at,
         max(closed_at) + count(*) * interval '1 microsecond' AS revised_at
    FROM toll_day
   GROUP BY booked_on
   UNION ALL
  SELECT 'completeness_day' AS kind, day::timestamp AT TIME ZONE %(zone)s AS starts_at,
         max(made_at) + count(*) * interval '1 microsecond' AS revised_at
    FROM completeness_statement
   GROUP BY day
)

SELECT newest.kind, newest.starts_at, newest.revised_at,
       CASE WHEN pushed.refusal IS NULL THEN pushed.content_sha256 END AS known_sha256
  FROM newest
  LEFT JOIN national_push AS pushed
    ON pushed.kind = newest.kind
   AND pushed.starts_at = newest.starts_at
 WHERE pushed.kind IS NULL
    OR pushed.revised_at < newest.revised_at
    OR (pushed.refusal IS NOT NULL AND pushed.noted_at < %(refused_before)s)
 ORDER BY newest.starts_at, newest.kind
 LIMIT %(rows_max)s;

-- name: select_traffic_hour
-- The counts of one hour, by site.
SELECT site_id, passages, plates_read, late, motorcycles, cars, buses, trucks
  FROM passage_hour
 WHERE hour_at = %(starts_at)s
 ORDER BY site_id
 LIMIT %(rows_max)s;

-- name: select_toll_day
-- The newest closing of a day, by station.
SELECT DISTINCT ON (station_id) station_id, revision, crossings, charged, charged_dong
  FROM toll_day
 WHERE booked_on = %(day)s
 ORDER BY station_id ASC, revision DESC
 LIMIT %(rows_max)s;

-- name: select_completeness_day
-- The newest statement about a day.
SELECT revision, due_count, stored_count, gap_count
  FROM completeness_statement
 WHERE day = %(day)s
 ORDER BY revision DESC
 LIMIT 1;

-- name: note_answer
-- The national centre answered about a version of a sheet.
INSERT INTO national_push (kind, starts_at, revised_at, content_sha256, noted_at, refusal)
VALUES (%(kind)s, %(starts_at)s, %(revised_at)s, %(content_sha256)s, %(now)s, %(refusal)s)
ON CONFLICT (kind, starts_at) DO UPDATE
   SET revised_at = excluded.revised_at,
       content_sha256 = excluded.content_sha256,
       noted_at = excluded.noted_at,
       refusal = excluded.refusal;

-- name: note_trouble
-- The national centre did not answer.
INSERT INTO national_push_trouble (failures, failed_at, next_at, reason)
VALUES (%(failures)s, %(now)s, %(next_at)s, %(reason)s)
ON CONFLICT (is_only) DO UPDATE
   SET failures = excluded.failures,
       failed_at = excluded.failed_at,
       next_at = excluded.next_at,
       reason = excluded.reason;

-- name: end_trouble
-- The national centre answers.
DELETE FROM national_push_trouble;

-- name: select_trouble
-- Whether it does not, and when to try again.
SELECT failures, failed_at, next_at, reason
  FROM national_push_trouble;

-- name: count_answered
-- How much it has answered.
SELECT count(*) FILTER (WHERE refusal IS NULL) AS answered,
       count(*) FILTER (WHERE refusal IS NOT NULL) AS refused,
       max(noted_at) AS answered_at
  FROM national_push;
