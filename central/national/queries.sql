-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Figures of whole provinces are for whoever may see the nation's: no query has a scope of sites.

-- name: insert_province
-- Bind a program to a province; nothing when either has a row already, or there is no program.
INSERT INTO national_province (code, name, client_id, added_by, added_at)
SELECT %(code)s, %(name)s, api_client.id, %(added_by)s, %(now)s
  FROM api_client
 WHERE api_client.name = %(program)s
ON CONFLICT DO NOTHING
RETURNING code;

-- name: is_province_of
-- Whether a program is bound to this very province.
SELECT exists(
         SELECT 1
           FROM national_province
          WHERE code = %(province)s
            AND client_id = %(client_id)s
       );

-- name: lock_sheet
-- Who else writes the same sheet waits; also before its first version has a row.
SELECT pg_advisory_xact_lock(
         hashtextextended(
           concat_ws(
             ' ', 'national-sheet', %(province)s::text, %(kind)s::text, %(starts_at)s::timestamptz
           ), 0
         )
       );

-- name: select_version
-- Which version of a sheet is held.
SELECT revised_at, content_sha256
  FROM national_sheet
 WHERE province = %(province)s
   AND kind = %(kind)s
   AND starts_at = %(starts_at)s;

-- name: put_version
-- Note the version that is held now.
INSERT INTO national_sheet (province, kind, starts_at, revised_at, content_sha256, accepted_at)
VALUES (%(province)s, %(kind)s, %(starts_at)s, %(revised_at)s, %(content_sha256)s, %(now)s)
ON CONFLICT (province, kind, starts_at) DO UPDATE
   SET revised_at = excluded.revised_at,
       content_sha256 = excluded.content_sha256,
       accepted_at = excluded.accepted_at;

-- name: delete_traffic_hour
-- The rows of an hour that is replaced.
DELETE FROM national_traffic
 WHERE province = %(province)s
   AND hour_at = %(starts_at)s;

-- name: insert_traffic_hour
-- The rows of an hour.
INSERT INTO national_traffic
       (province, hour_at, site_id, passages, plates_read, late, motorcycles, cars, buses, trucks)
SELECT %(province)s, %(starts_at)s, each.site_id, each.passages, each.plates_read, each.late,
       each.motorcycles, each.cars, each.buses, each.trucks
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS each (
         site_id text, passages integer, plates_read integer, late integer, motorcycles integer,
         cars integer, buses integer, trucks integer
       );

-- name: delete_toll_day
-- The rows of a day of tolls that is replaced.
DELETE FROM national_toll
 WHERE province = %(province)s
   AND day = %(day)s;

-- name: insert_toll_day
-- The rows of a day of tolls.
INSERT INTO national_toll (province, day, station_id, revision, crossings, charged, charged_dong)
SELECT %(province)s, %(day)s, each.station_id, each.revision, each.crossings, each.charged,
       each.charged_dong
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS each (
         station_id text, revision integer, crossings integer, charged integer, charged_dong bigint
       );

-- name: delete_completeness_day
-- The row of a stated day that is replaced.
DELETE FROM national_completeness
 WHERE province = %(province)s
   AND day = %(day)s;

-- name: insert_completeness_day
-- The row of a stated day.
INSERT INTO national_completeness
       (province, day, revision, due_count, stored_count, gap_count)
SELECT %(province)s, %(day)s, each.revision, each.due_count, each.stored_count, each.gap_count
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS each (
         revision integer, due_count bigint, stored_count bigint, gap_count bigint
       );

-- name: select_province_name
-- What a province is called.
SELECT name
  FROM national_province
 WHERE code = %(province)s;

-- name: select_provinces
-- Provinces by code with what is held of one day, which begins and ends at instants.
SELECT province.code, province.name, %(day)s::date AS day, pushed.accepted_at,
       newest.traffic_until, coalesce(held.hours, 0) AS hours,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.passages, 0) END AS passages,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.plates_read, 0) END AS plates_read,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.motorcycles, 0) END AS motorcycles,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.cars, 0) END AS cars,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.buses, 0) END AS buses,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.trucks, 0) END AS trucks,
       toll.charged, toll.charged_dong,
       stated.due_count, stated.stored_count, stated.gap_count
  FROM national_province AS province
  CROSS JOIN LATERAL (
    SELECT max(accepted_at) AS accepted_at
      FROM national_sheet
     WHERE national_sheet.province = province.code
  ) AS pushed
  CROSS JOIN LATERAL (
    SELECT max(starts_at) + interval '1 hour' AS traffic_until
      FROM national_sheet
     WHERE national_sheet.province = province.code
       AND kind = 'traffic_hour'
  ) AS newest
  CROSS JOIN LATERAL (
    SELECT count(*)::integer AS hours
      FROM national_sheet
     WHERE national_sheet.province = province.code
       AND kind = 'traffic_hour'
       AND starts_at >= %(since)s
       AND starts_at < %(until)s
  ) AS held
  CROSS JOIN LATERAL (
    SELECT sum(passages) AS passages, sum(plates_read) AS plates_read,
           sum(motorcycles) AS motorcycles, sum(cars) AS cars, sum(buses) AS buses,
           sum(trucks) AS trucks
      FROM national_traffic
     WHERE national_traffic.province = province.code
       AND hour_at >= %(since)s
       AND hour_at < %(until)s
  ) AS traffic
  CROSS JOIN LATERAL (
    SELECT sum(charged) AS charged, sum(charged_dong)::bigint AS charged_dong
      FROM national_toll
     WHERE national_toll.province = province.code
       AND day = %(day)s
  ) AS toll
  LEFT JOIN national_completeness AS stated
    ON stated.province = province.code
   AND stated.day = %(day)s
 WHERE province.code > %(after)s
 ORDER BY province.code
 LIMIT %(rows_max)s;

-- name: select_days
-- Days of one province, the newest first, as far as anything was handed up about them.
WITH held AS (
  SELECT (starts_at AT TIME ZONE %(zone)s)::date AS day,
         count(*) FILTER (WHERE kind = 'traffic_hour')::integer AS hours
    FROM national_sheet
   WHERE province = %(province)s
     AND starts_at < %(until)s
   GROUP BY (starts_at AT TIME ZONE %(zone)s)::date
   ORDER BY day DESC
   LIMIT %(rows_max)s
)

SELECT held.day, held.hours,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.passages, 0) END AS passages,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.plates_read, 0) END AS plates_read,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.motorcycles, 0) END AS motorcycles,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.cars, 0) END AS cars,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.buses, 0) END AS buses,
       CASE WHEN held.hours > 0 THEN coalesce(traffic.trucks, 0) END AS trucks,
       toll.charged, toll.charged_dong,
       stated.due_count, stated.stored_count, stated.gap_count
  FROM held
  CROSS JOIN LATERAL (
    SELECT sum(passages) AS passages, sum(plates_read) AS plates_read,
           sum(motorcycles) AS motorcycles, sum(cars) AS cars, sum(buses) AS buses,
           sum(trucks) AS trucks
      FROM national_traffic
     WHERE province = %(province)s
       AND hour_at >= held.day::timestamp AT TIME ZONE %(zone)s
       AND hour_at < (held.day + 1)::timestamp AT TIME ZONE %(zone)s
  ) AS traffic
  CROSS JOIN LATERAL (
    SELECT sum(charged) AS charged, sum(charged_dong)::bigint AS charged_dong
      FROM national_toll
     WHERE province = %(province)s
       AND national_toll.day = held.day
  ) AS toll
  LEFT JOIN national_completeness AS stated
    ON stated.province = %(province)s
   AND stated.day = held.day
 ORDER BY held.day DESC;
