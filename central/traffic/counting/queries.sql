-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Counting serves every site, so that none of its queries takes a scope.

-- name: lock_counting
-- One at a time: who counts a minute later has also seen more of it.
SELECT pg_advisory_xact_lock(%(lock_id)s::bigint);

-- name: take_touched
-- Minutes that have to be counted, those that changed first before others; they are done with this
-- transaction. Where passages were erased by date the counts stay as they are.
WITH taken AS (
  DELETE FROM passage_touched
   WHERE id IN (
     SELECT id
       FROM passage_touched
      ORDER BY id
      LIMIT %(rows_max)s
   )
  RETURNING minute_at
)

SELECT DISTINCT taken.minute_at
  FROM taken
 WHERE NOT EXISTS (
         SELECT 1
           FROM erasure_record
          WHERE erasure_record.data = 'passages'
            AND erasure_record.since <= taken.minute_at
            AND erasure_record.until > taken.minute_at
       )
 ORDER BY taken.minute_at;

-- name: touch_span
-- Have every minute of a span counted again that holds a passage or a count.
INSERT INTO passage_touched (minute_at)
SELECT date_trunc('minute', captured_at) AS minute_at
  FROM passage
 WHERE captured_at >= %(since)s
   AND captured_at < %(until)s
UNION
SELECT minute_at
  FROM passage_minute
 WHERE minute_at >= %(since)s
   AND minute_at < %(until)s;

-- name: forget_minutes
-- The counts of minutes that are counted again.
DELETE FROM passage_minute
 WHERE minute_at = any(%(minutes)s::timestamptz[])
   AND minute_at >= %(since)s
   AND minute_at < %(until)s;

-- name: count_minutes
-- Count minutes out of their passages. They lie within a span, which keeps other chunks out of it.
INSERT INTO passage_minute
       (minute_at, site_id, passages, plates_read, late, motorcycles, cars, buses, trucks,
        speeds_kmh, latencies_s)
SELECT touched.minute_at, counted.*
  FROM unnest(%(minutes)s::timestamptz[]) AS touched (minute_at)
  CROSS JOIN LATERAL (
    SELECT site_id,
           count(*) AS passages,
           count(*) FILTER (WHERE plate_text <> '') AS plates_read,
           count(*) FILTER (WHERE is_late) AS late,
           count(*) FILTER (WHERE vehicle_class = 'motorcycle') AS motorcycles,
           count(*) FILTER (WHERE vehicle_class = 'car') AS cars,
           count(*) FILTER (WHERE vehicle_class = 'bus') AS buses,
           count(*) FILTER (WHERE vehicle_class = 'truck') AS trucks,
           coalesce(array_agg(speed_kmh) FILTER (WHERE speed_kmh IS NOT NULL), '{}') AS speeds_kmh,
           coalesce(
             array_agg(extract(EPOCH FROM stored_at - captured_at)::real)
               FILTER (WHERE NOT is_late),
             '{}'
           ) AS latencies_s
      FROM passage
     WHERE captured_at >= touched.minute_at
       AND captured_at < touched.minute_at + interval '1 minute'
       AND captured_at >= %(since)s
       AND captured_at < %(until)s
     GROUP BY site_id
  ) AS counted;

-- name: forget_hours
-- The counts of hours that are counted again.
DELETE FROM passage_hour
 WHERE hour_at = any(%(hours)s::timestamptz[]);

-- name: count_hours
-- Count hours out of their minutes, all within a span.
INSERT INTO passage_hour
       (hour_at, site_id, passages, plates_read, late, motorcycles, cars, buses, trucks,
        speed_counts, latency_counts)
WITH seen AS MATERIALIZED (
  SELECT date_trunc('hour', minute_at) AS hour_at, passage_minute.*
    FROM passage_minute
   WHERE date_trunc('hour', minute_at) = any(%(hours)s::timestamptz[])
     AND minute_at >= %(since)s
     AND minute_at < %(until)s
),

counted AS (
  SELECT hour_at, site_id, sum(passages) AS passages, sum(plates_read) AS plates_read,
         sum(late) AS late, sum(motorcycles) AS motorcycles, sum(cars) AS cars,
         sum(buses) AS buses, sum(trucks) AS trucks
    FROM seen
   GROUP BY hour_at, site_id
),

speed AS (
  SELECT hour_at, site_id, width_bucket(speed_kmh, %(speed_bounds)s::real[]) AS class,
         count(*) AS held
    FROM seen
    CROSS JOIN unnest(seen.speeds_kmh) AS speed_kmh
   GROUP BY hour_at, site_id, class
),

latency AS (
  SELECT hour_at, site_id, width_bucket(latency_s, %(latency_bounds)s::real[]) AS class,
         count(*) AS held
    FROM seen
    CROSS JOIN unnest(seen.latencies_s) AS latency_s
   GROUP BY hour_at, site_id, class
)

SELECT counted.*,
       (
         SELECT array_agg(coalesce(speed.held, 0) ORDER BY each.class)
           FROM generate_series(0, cardinality(%(speed_bounds)s::real[])) AS each (class)
           LEFT JOIN speed
             ON speed.class = each.class
            AND speed.hour_at = counted.hour_at
            AND speed.site_id = counted.site_id
       ) AS speed_counts,
       (
         SELECT array_agg(coalesce(latency.held, 0) ORDER BY each.class)
           FROM generate_series(0, cardinality(%(latency_bounds)s::real[])) AS each (class)
           LEFT JOIN latency
             ON latency.class = each.class
            AND latency.hour_at = counted.hour_at
            AND latency.site_id = counted.site_id
       ) AS latency_counts
  FROM counted;

-- name: note_hours
-- Note that hours were counted just now; under the lock of counting, so that times only grow.
INSERT INTO passage_hour_change (hour_at, changed_at)
SELECT hour_at, clock_timestamp() AS changed_at
  FROM unnest(%(hours)s::timestamptz[]) AS counted (hour_at)
ON CONFLICT (hour_at) DO UPDATE
   SET changed_at = greatest(
         excluded.changed_at, passage_hour_change.changed_at + interval '1 microsecond'
       );

-- name: forget_days
-- The counts of days that are counted again.
DELETE FROM passage_day
 WHERE day = %(day)s;

-- name: count_days
-- Count a day of Vietnamese time out of its hours.
INSERT INTO passage_day
       (day, site_id, passages, plates_read, late, motorcycles, cars, buses, trucks,
        speed_counts, latency_counts)
WITH seen AS MATERIALIZED (
  SELECT *
    FROM passage_hour
   WHERE hour_at >= %(since)s
     AND hour_at < %(until)s
),

speed AS (
  SELECT site_id, class, sum(held) AS held
    FROM seen
    CROSS JOIN unnest(seen.speed_counts) WITH ORDINALITY AS each (held, class)
   GROUP BY site_id, class
),

latency AS (
  SELECT site_id, class, sum(held) AS held
    FROM seen
    CROSS JOIN unnest(seen.latency_counts) WITH ORDINALITY AS each (held, class)
   GROUP BY site_id, class
)

SELECT %(day)s::date AS day, site_id, sum(passages) AS passages,
       sum(plates_read) AS plates_read, sum(late) AS late, sum(motorcycles) AS motorcycles,
       sum(cars) AS cars, sum(buses) AS buses, sum(trucks) AS trucks,
       (
         SELECT array_agg(speed.held ORDER BY speed.class)
           FROM speed
          WHERE speed.site_id = seen.site_id
       ) AS speed_counts,
       (
         SELECT array_agg(latency.held ORDER BY latency.class)
           FROM latency
          WHERE latency.site_id = seen.site_id
       ) AS latency_counts
  FROM seen
 GROUP BY site_id;
