-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: flow_of_minutes
-- Traffic of a span in slots of whole minutes, as far as the caller may see it; a slot without any
-- traffic is there as well. Percentiles are exact.
WITH seen AS (
  SELECT time_bucket(%(slot)s::interval, minute_at) AS starts_at, passage_minute.*
    FROM passage_minute
   WHERE minute_at >= %(since)s
     AND minute_at < %(until)s
     AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
),

counted AS (
  SELECT starts_at, sum(passages) AS passages, sum(plates_read) AS plates_read, sum(late) AS late,
         sum(motorcycles) AS motorcycles, sum(cars) AS cars, sum(buses) AS buses,
         sum(trucks) AS trucks
    FROM seen
   GROUP BY starts_at
),

speed AS (
  SELECT starts_at,
         percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (ORDER BY speed_kmh) AS quantiles
    FROM seen
    CROSS JOIN unnest(seen.speeds_kmh) AS speed_kmh
   GROUP BY starts_at
),

latency AS (
  SELECT starts_at,
         percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY latency_s) AS quantiles
    FROM seen
    CROSS JOIN unnest(seen.latencies_s) AS latency_s
   GROUP BY starts_at
)

SELECT slot.starts_at,
       coalesce(counted.passages, 0) AS passages,
       coalesce(counted.plates_read, 0) AS plates_read,
       coalesce(counted.late, 0) AS late,
       coalesce(counted.motorcycles, 0) AS motorcycles,
       coalesce(counted.cars, 0) AS cars,
       coalesce(counted.buses, 0) AS buses,
       coalesce(counted.trucks, 0) AS trucks,
       speed.quantiles[1] AS speed_kmh_median,
       speed.quantiles[2] AS speed_kmh_85,
       latency.quantiles[1] AS latency_s_median,
       latency.quantiles[2] AS latency_s_99
  FROM generate_series(
         %(since)s::timestamptz,
         %(until)s::timestamptz - interval '1 microsecond',
         %(slot)s::interval
       ) AS slot (starts_at)
  LEFT JOIN counted ON counted.starts_at = slot.starts_at
  LEFT JOIN speed ON speed.starts_at = slot.starts_at
  LEFT JOIN latency ON latency.starts_at = slot.starts_at
 ORDER BY slot.starts_at
 LIMIT %(rows_max)s;

-- name: flow_of_hours
-- The same in slots of whole hours, with histograms instead of percentiles.
WITH seen AS (
  SELECT time_bucket(%(slot)s::interval, hour_at) AS starts_at, passage_hour.*
    FROM passage_hour
   WHERE hour_at >= %(since)s
     AND hour_at < %(until)s
     AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
),

counted AS (
  SELECT starts_at, sum(passages) AS passages, sum(plates_read) AS plates_read, sum(late) AS late,
         sum(motorcycles) AS motorcycles, sum(cars) AS cars, sum(buses) AS buses,
         sum(trucks) AS trucks
    FROM seen
   GROUP BY starts_at
),

speed_class AS (
  SELECT starts_at, class, sum(held) AS held
    FROM seen
    CROSS JOIN unnest(seen.speed_counts) WITH ORDINALITY AS each (held, class)
   GROUP BY starts_at, class
),

speed AS (
  SELECT starts_at, array_agg(held ORDER BY class) AS counts
    FROM speed_class
   GROUP BY starts_at
),

latency_class AS (
  SELECT starts_at, class, sum(held) AS held
    FROM seen
    CROSS JOIN unnest(seen.latency_counts) WITH ORDINALITY AS each (held, class)
   GROUP BY starts_at, class
),

latency AS (
  SELECT starts_at, array_agg(held ORDER BY class) AS counts
    FROM latency_class
   GROUP BY starts_at
)

SELECT slot.starts_at,
       coalesce(counted.passages, 0) AS passages,
       coalesce(counted.plates_read, 0) AS plates_read,
       coalesce(counted.late, 0) AS late,
       coalesce(counted.motorcycles, 0) AS motorcycles,
       coalesce(counted.cars, 0) AS cars,
       coalesce(counted.buses, 0) AS buses,
       coalesce(counted.trucks, 0) AS trucks,
       speed.counts AS speed_counts,
       latency.counts AS latency_counts
  FROM generate_series(
         %(since)s::timestamptz,
         %(until)s::timestamptz - interval '1 microsecond',
         %(slot)s::interval
       ) AS slot (starts_at)
  LEFT JOIN counted ON counted.starts_at = slot.starts_at
  LEFT JOIN speed ON speed.starts_at = slot.starts_at
  LEFT JOIN latency ON latency.starts_at = slot.starts_at
 ORDER BY slot.starts_at
 LIMIT %(rows_max)s;

-- name: flow_of_days
-- The same in days of Vietnamese time.
WITH seen AS (
  SELECT *
    FROM passage_day
   WHERE day >= %(first_day)s
     AND day <= %(last_day)s
     AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
),

counted AS (
  SELECT day, sum(passages) AS passages, sum(plates_read) AS plates_read, sum(late) AS late,
         sum(motorcycles) AS motorcycles, sum(cars) AS cars, sum(buses) AS buses,
         sum(trucks) AS trucks
    FROM seen
   GROUP BY day
),

speed_class AS (
  SELECT day, class, sum(held) AS held
    FROM seen
    CROSS JOIN unnest(seen.speed_counts) WITH ORDINALITY AS each (held, class)
   GROUP BY day, class
),

speed AS (
  SELECT day, array_agg(held ORDER BY class) AS counts
    FROM speed_class
   GROUP BY day
),

latency_class AS (
  SELECT day, class, sum(held) AS held
    FROM seen
    CROSS JOIN unnest(seen.latency_counts) WITH ORDINALITY AS each (held, class)
   GROUP BY day, class
),

latency AS (
  SELECT day, array_agg(held ORDER BY class) AS counts
    FROM latency_class
   GROUP BY day
)

SELECT (%(first_day)s::date + slot.number)::timestamp AT TIME ZONE %(zone)s AS starts_at,
       coalesce(counted.passages, 0) AS passages,
       coalesce(counted.plates_read, 0) AS plates_read,
       coalesce(counted.late, 0) AS late,
       coalesce(counted.motorcycles, 0) AS motorcycles,
       coalesce(counted.cars, 0) AS cars,
       coalesce(counted.buses, 0) AS buses,
       coalesce(counted.trucks, 0) AS trucks,
       speed.counts AS speed_counts,
       latency.counts AS latency_counts
  FROM generate_series(0, %(last_day)s::date - %(first_day)s::date) AS slot (number)
  LEFT JOIN counted ON counted.day = %(first_day)s::date + slot.number
  LEFT JOIN speed ON speed.day = %(first_day)s::date + slot.number
  LEFT JOIN latency ON latency.day = %(first_day)s::date + slot.number
 ORDER BY slot.number
 LIMIT %(rows_max)s;

-- name: count_by_site
-- How many passed every site since a time, as far as the caller may see them.
SELECT site_id, sum(passages) AS passages
  FROM passage_minute
 WHERE minute_at >= %(since)s
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
 GROUP BY site_id
 ORDER BY site_id
 LIMIT %(rows_max)s;

-- name: count_journeys
-- Journeys by first and last site, as far as the caller may see both: passages of one plate without
-- a long pause. No plate is in the answer, and no pair of sites that few vehicles went.
WITH seen AS (
  SELECT plate_text, site_id, captured_at,
         captured_at - lag(captured_at) OVER by_plate > %(pause)s::interval AS is_after_pause
    FROM passage
   WHERE captured_at >= %(since)s
     AND captured_at < %(until)s
     AND plate_text <> ''
     AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
  WINDOW by_plate AS (PARTITION BY plate_text ORDER BY captured_at)
),

numbered AS (
  SELECT plate_text, site_id, captured_at,
         count(*) FILTER (WHERE is_after_pause) OVER by_plate AS number
    FROM seen
  WINDOW by_plate AS (PARTITION BY plate_text ORDER BY captured_at)
),

journey AS (
  SELECT plate_text, first(site_id, captured_at) AS origin_id,
         last(site_id, captured_at) AS destination_id,
         max(captured_at) - min(captured_at) AS duration
    FROM numbered
   GROUP BY plate_text, number
)

SELECT origin_id, destination_id, count(*) AS journeys,
       count(DISTINCT plate_text) AS vehicles,
       extract(
         EPOCH FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY duration)
       )::float8 AS median_duration_s
  FROM journey
 WHERE origin_id <> destination_id
 GROUP BY origin_id, destination_id
HAVING count(DISTINCT plate_text) >= %(vehicles_min)s
 ORDER BY journeys DESC, origin_id ASC, destination_id ASC
 LIMIT %(rows_max)s;
