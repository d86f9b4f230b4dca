-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: select_station
-- A toll station, if it lies in the caller's scope.
SELECT name
  FROM toll_station
 WHERE id = %(station_id)s
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]));

-- name: select_providers
-- Payment providers that ever topped an account up; they belong to no station.
SELECT reference AS provider
  FROM ledger_account
 WHERE kind = 'provider_clearing'
 ORDER BY reference
 LIMIT %(rows_max)s;

-- name: lock_day
-- One closing of a station's day at a time; the lock goes with the transaction.
SELECT pg_advisory_xact_lock(
  hashtextextended('toll-day ' || %(station_id)s::text || ' ' || %(day)s::date::text, 0)
);

-- name: select_figures
-- Everything about a station's day in one statement, so that all of it is of one moment. For
-- closing, which has checked the caller's scope by the station.
WITH crossing AS MATERIALIZED (
  SELECT crossing.id, crossing.state, crossing.reason, crossing.vehicle_group,
         crossing.amount_dong, crossing.account_number, crossing.ledger_entry_id,
         holder.provider
    FROM toll_crossing AS crossing
    LEFT JOIN toll_account AS holder ON holder.number = crossing.account_number
   WHERE crossing.station_id = %(station_id)s
     AND crossing.booked_on = %(day)s
),
movement AS MATERIALIZED (
  SELECT entry.id, entry.kind, posting.amount_dong
    FROM ledger_entry AS entry
    INNER JOIN ledger_posting AS posting ON posting.entry_id = entry.id
    INNER JOIN ledger_account AS revenue ON revenue.id = posting.account_id
   WHERE entry.booked_on = %(day)s
     AND revenue.kind = 'station_revenue'
     AND revenue.reference = %(station_id)s
)
SELECT (SELECT count(*) FROM crossing) AS crossings,
       (SELECT count(*) FROM crossing WHERE state = 'charged') AS charged,
       (
         SELECT coalesce(sum(amount_dong), 0)::bigint FROM crossing WHERE state = 'charged'
       ) AS charged_dong,
       (
         SELECT coalesce(jsonb_object_agg(state, number), '{}')
           FROM (SELECT state, count(*) AS number FROM crossing GROUP BY state) AS counted
       ) AS by_state,
       (
         SELECT coalesce(jsonb_object_agg(reason, number), '{}')
           FROM (
             SELECT reason, count(*) AS number
               FROM crossing
              WHERE reason IS NOT NULL
                AND state <> 'charged'
              GROUP BY reason
           ) AS counted
       ) AS by_reason,
       (
         SELECT coalesce(jsonb_agg(to_jsonb(summed) ORDER BY summed.vehicle_group), '[]')
           FROM (
             SELECT vehicle_group, count(*) AS charged, sum(amount_dong)::bigint AS charged_dong
               FROM crossing
              WHERE state = 'charged'
              GROUP BY vehicle_group
           ) AS summed
       ) AS by_group,
       (
         SELECT coalesce(jsonb_agg(to_jsonb(summed) ORDER BY summed.provider), '[]')
           FROM (
             SELECT provider, count(*) AS charged, sum(amount_dong)::bigint AS charged_dong
               FROM crossing
              WHERE state = 'charged'
              GROUP BY provider
           ) AS summed
       ) AS by_provider,
       (SELECT count(*) FROM movement WHERE kind = 'toll_charge') AS ledger_charges,
       (
         SELECT coalesce(sum(amount_dong), 0)::bigint FROM movement WHERE kind = 'toll_charge'
       ) AS ledger_charged_dong,
       (
         SELECT coalesce(sum(amount_dong), 0)::bigint FROM movement WHERE kind <> 'toll_charge'
       ) AS ledger_corrected_dong,
       (
         SELECT count(*)
           FROM toll_crossing_without_entry AS wrong
          WHERE wrong.station_id = %(station_id)s
            AND wrong.booked_on = %(day)s
       ) + (
         SELECT count(*)
           FROM toll_refund_without_entry AS wrong
          WHERE wrong.station_id = %(station_id)s
            AND wrong.booked_on = %(day)s
       ) + (
         SELECT count(*)
           FROM toll_entry_without_crossing AS wrong
          WHERE wrong.station_id = %(station_id)s
            AND wrong.booked_on = %(day)s
       ) AS mismatches,
       sha256(
         convert_to(
           coalesce(
             (
               SELECT string_agg(
                        concat_ws(
                          ' ', id, state, reason, vehicle_group, amount_dong, account_number,
                          ledger_entry_id
                        ), E'\n' ORDER BY id
                      )
                 FROM crossing
             ), ''
           ) || E'\n--\n' || coalesce(
             (SELECT string_agg(concat_ws(' ', id, amount_dong), E'\n' ORDER BY id) FROM movement),
             ''
           ), 'UTF8'
         )
       ) AS contents_sha256;

-- name: select_charges
-- What was charged to one provider's accounts, in order of time. For closing.
SELECT crossing.id AS crossing_id, crossing.account_number, crossing.amount_dong
  FROM toll_crossing AS crossing
  INNER JOIN toll_account AS holder ON holder.number = crossing.account_number
 WHERE crossing.station_id = %(station_id)s
   AND crossing.booked_on = %(day)s
   AND crossing.state = 'charged'
   AND holder.provider = %(provider)s
 ORDER BY crossing.crossed_at, crossing.id
 LIMIT %(rows_max)s;

-- name: select_foreign
-- Which of some crossings belong to another station or another day. For closing.
SELECT crossing.id AS crossing_id, crossing.station_id, crossing.booked_on
  FROM unnest(%(crossing_ids)s::uuid[]) AS wanted (id)
  INNER JOIN toll_crossing AS crossing ON crossing.id = wanted.id
 WHERE crossing.station_id <> %(station_id)s
    OR crossing.booked_on <> %(day)s
 ORDER BY crossing.id
 LIMIT %(rows_max)s;

-- name: insert_file
-- Keep a provider's file; no row when the same file is kept already.
INSERT INTO toll_provider_file (
  id, provider, station_id, booked_on, file_name, file_sha256, rows_read, received_at
)
VALUES (
  %(id)s, %(provider)s, %(station_id)s, %(day)s, %(file_name)s, %(file_sha256)s, %(rows_read)s,
  %(now)s
)
ON CONFLICT (provider, station_id, booked_on, file_sha256) DO NOTHING
RETURNING id;

-- name: insert_file_rows
-- Keep the rows of a provider's file.
INSERT INTO toll_provider_row (
  file_id, line, crossing_id, account_number, debited_at, amount_dong
)
SELECT %(file_id)s::uuid, given.line, given.crossing_id, given.account_number, given.debited_at,
       given.amount_dong
  FROM unnest(
         %(lines)s::int[], %(crossing_ids)s::uuid[], %(account_numbers)s::text[],
         %(debited_ats)s::timestamptz[], %(amounts_dong)s::bigint[]
       ) AS given (line, crossing_id, account_number, debited_at, amount_dong);

-- name: select_files
-- The newest file of every provider about a station's day.
SELECT DISTINCT ON (file.provider) file.id, file.provider, file.file_name AS name,
       encode(file.file_sha256, 'hex') AS sha256, file.rows_read AS rows,
       (
         SELECT coalesce(sum(given.amount_dong), 0)::bigint
           FROM toll_provider_row AS given
          WHERE given.file_id = file.id
       ) AS amount_dong
  FROM toll_provider_file AS file
 WHERE file.station_id = %(station_id)s
   AND file.booked_on = %(day)s
 ORDER BY file.provider ASC, file.received_at DESC, file.id DESC
 LIMIT %(rows_max)s;

-- name: select_file_rows
-- Rows of a provider's file, in their order.
SELECT line, crossing_id, account_number, debited_at, amount_dong
  FROM toll_provider_row
 WHERE file_id = %(file_id)s
 ORDER BY line
 LIMIT %(rows_max)s;

-- name: insert_day
-- Write down one revision of a closed day.
INSERT INTO toll_day (
  id, station_id, booked_on, revision, closed_at, closed_by, crossings, charged, charged_dong,
  ledger_dong, summary, contents_sha256
)
VALUES (
  %(id)s, %(station_id)s, %(day)s, %(revision)s, %(now)s, %(closed_by)s, %(crossings)s,
  %(charged)s, %(charged_dong)s, %(ledger_dong)s, %(summary)s, %(contents_sha256)s
);

-- name: insert_day_files
-- Which files a closed day was compared with.
INSERT INTO toll_day_file (day_id, file_id)
SELECT %(day_id)s::uuid, given.file_id
  FROM unnest(%(file_ids)s::uuid[]) AS given (file_id);

-- name: insert_differences
-- Every difference of a closed day.
INSERT INTO toll_difference (
  day_id, provider, kind, crossing_id, our_amount_dong, their_amount_dong, provider_line
)
SELECT %(day_id)s::uuid, given.provider, given.kind, given.crossing_id, given.our_amount_dong,
       given.their_amount_dong, given.provider_line
  FROM unnest(
         %(providers)s::text[], %(kinds)s::text[], %(crossing_ids)s::uuid[],
         %(our_amounts_dong)s::bigint[], %(their_amounts_dong)s::bigint[],
         %(provider_lines)s::int[]
       ) WITH ORDINALITY AS given (
         provider, kind, crossing_id, our_amount_dong, their_amount_dong, provider_line, place
       )
 ORDER BY given.place;

-- name: select_differences
-- Differences of a closed day, in their order; the caller's scope was checked by the day.
SELECT provider, kind, crossing_id, our_amount_dong, their_amount_dong, provider_line
  FROM toll_difference
 WHERE day_id = %(day_id)s
 ORDER BY id
 LIMIT %(rows_max)s;

-- name: select_days
-- Newest revision of every closed day in the caller's scope, newest day first.
SELECT DISTINCT ON (day.booked_on, day.station_id) day.id, day.station_id,
       station.name AS station_name, day.booked_on, day.revision, day.closed_at, day.closed_by,
       day.crossings, day.charged, day.charged_dong, day.summary, day.contents_sha256,
       (SELECT count(*) FROM toll_difference WHERE day_id = day.id) AS differences
  FROM toll_day AS day
  INNER JOIN toll_station AS station ON station.id = day.station_id
 WHERE (%(scope)s::text[] IS NULL OR station.site_id = any(%(scope)s::text[]))
   AND (
     %(after_day)s::date IS NULL
     OR day.booked_on < %(after_day)s
     OR (day.booked_on = %(after_day)s AND day.station_id > %(after_station)s::text)
   )
 ORDER BY day.booked_on DESC, day.station_id ASC, day.revision DESC
 LIMIT %(rows_max)s;

-- name: select_day
-- One revision of a closed day, if its station lies in the caller's scope.
SELECT day.id, day.station_id, station.name AS station_name, day.booked_on, day.revision,
       day.closed_at, day.closed_by, day.crossings, day.charged, day.charged_dong, day.summary,
       day.contents_sha256,
       (SELECT count(*) FROM toll_difference WHERE day_id = day.id) AS differences
  FROM toll_day AS day
  INNER JOIN toll_station AS station ON station.id = day.station_id
 WHERE day.id = %(day_id)s
   AND (%(scope)s::text[] IS NULL OR station.site_id = any(%(scope)s::text[]));

-- name: select_revisions
-- Every revision of a station's closed day, newest first; the scope was checked by the day.
SELECT day.id, day.station_id, station.name AS station_name, day.booked_on, day.revision,
       day.closed_at, day.closed_by, day.crossings, day.charged, day.charged_dong, day.summary,
       day.contents_sha256,
       (SELECT count(*) FROM toll_difference WHERE day_id = day.id) AS differences
  FROM toll_day AS day
  INNER JOIN toll_station AS station ON station.id = day.station_id
 WHERE day.station_id = %(station_id)s
   AND day.booked_on = %(day)s
 ORDER BY day.revision DESC
 LIMIT %(rows_max)s;

-- name: select_crossing_proof
-- All crossings against the ledger, and closed days against the chain. For auditors.
SELECT (SELECT count(*) FROM toll_crossing WHERE state = 'charged') AS charged,
       (SELECT count(*) FROM toll_crossing_without_entry)
         + (SELECT count(*) FROM toll_refund_without_entry) AS without_entry,
       (SELECT count(*) FROM toll_entry_without_crossing) AS without_crossing,
       (
         SELECT count(*)
           FROM toll_day AS day
          WHERE (day.summary -> 'chain' ->> 'position')::bigint > 0
            AND NOT EXISTS (
              SELECT FROM ledger_seal AS seal
               WHERE seal.position = (day.summary -> 'chain' ->> 'position')::bigint
                 AND encode(seal.hash, 'hex') = day.summary -> 'chain' ->> 'hash'
            )
       ) AS broken_anchors;
