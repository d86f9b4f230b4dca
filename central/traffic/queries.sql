-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: summarise_flow
-- Passages of a span of time in slots of equal length, as far as the caller may see them: how many
-- there were, how many plates were read, how fast they were, and how long they took to get here.
-- Late ones say nothing of the way here, since their devices were cut off.
SELECT time_bucket(%(slot)s::interval, captured_at) AS starts_at,
       count(*) AS passages,
       count(*) FILTER (WHERE plate_text <> '') AS plates_read,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY speed_kmh) AS speed_kmh_median,
       percentile_cont(0.85) WITHIN GROUP (ORDER BY speed_kmh) AS speed_kmh_85,
       percentile_cont(0.5) WITHIN GROUP (
         ORDER BY extract(EPOCH FROM stored_at - captured_at)::double precision
       ) FILTER (WHERE NOT is_late) AS latency_s_median,
       percentile_cont(0.99) WITHIN GROUP (
         ORDER BY extract(EPOCH FROM stored_at - captured_at)::double precision
       ) FILTER (WHERE NOT is_late) AS latency_s_99
  FROM passage
 WHERE captured_at >= %(since)s
   AND captured_at < %(until)s
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
 GROUP BY starts_at
 ORDER BY starts_at
 LIMIT %(rows_max)s;

-- name: count_flow
-- The same, counted only: for the day that the present one is held against.
SELECT time_bucket(%(slot)s::interval, captured_at) AS starts_at,
       count(*) AS passages
  FROM passage
 WHERE captured_at >= %(since)s
   AND captured_at < %(until)s
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
 GROUP BY starts_at
 ORDER BY starts_at
 LIMIT %(rows_max)s;

-- name: count_by_site
-- How many passed every site since a time, as far as the caller may see them.
SELECT site_id, count(*) AS passages
  FROM passage
 WHERE captured_at >= %(since)s
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
 GROUP BY site_id
 ORDER BY site_id
 LIMIT %(rows_max)s;
