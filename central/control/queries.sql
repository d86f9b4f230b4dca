-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Judging serves the whole province and takes no scope; what people read does.

-- name: select_entries_for_plates
-- Entries of the watchlist for any of these plate texts that nobody has removed.
SELECT id, plate_text, plate_colour, reason, note, legal_basis, listed_by, listed_at, valid_until,
       removed_by, removed_at
  FROM watchlist_entry
 WHERE plate_text = any(%(plate_texts)s::text[])
   AND removed_at IS NULL
 ORDER BY plate_text, listed_at, id
 LIMIT %(rows_max)s;

-- name: lock_findings
-- Whoever judges or puts right one of the same things waits until this transaction ends; everybody
-- locks in the order of the hashes, so that nobody waits for each other.
SELECT pg_advisory_xact_lock(%(lock_class)s::integer, locked.hash)
  FROM (
    SELECT DISTINCT hashtext(things.thing) AS hash
      FROM unnest(%(things)s::text[]) AS things (thing)
     ORDER BY hash
  ) AS locked;

-- name: select_judged
-- Which of these passages are sightings already, and of which rule.
SELECT passage_id, rule
  FROM alert_sighting
 WHERE passage_id = any(%(passage_ids)s::uuid[])
 ORDER BY passage_id, rule
 LIMIT %(rows_max)s;

-- name: upsert_alerts_of_vehicles
-- Open an alert for each vehicle and rule, or add sightings to the one that is open.
INSERT INTO alert
       (id, rule, severity, plate_text, plate_colour, vehicle_id, legal_basis, facts, state,
        opened_at, last_sighted_at, sightings, passage_id, site_id, camera_id)
SELECT raised.id, raised.rule, raised.severity, raised.plate_text, raised.plate_colour,
       raised.vehicle_id, raised.legal_basis, raised.facts, 'open' AS state,
       %(now)s AS opened_at, raised.last_sighted_at, raised.sightings, raised.passage_id,
       raised.site_id, raised.camera_id
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS raised (
         id uuid, rule text, severity text, plate_text text, plate_colour text, vehicle_id uuid,
         legal_basis text, facts jsonb, last_sighted_at timestamptz, sightings integer,
         passage_id uuid, site_id text, camera_id text
       )
 ORDER BY raised.rule, raised.vehicle_id
ON CONFLICT (rule, vehicle_id) WHERE state <> 'closed' AND watchlist_entry_id IS NULL
DO UPDATE SET sightings = alert.sightings + excluded.sightings,
              last_sighted_at = greatest(alert.last_sighted_at, excluded.last_sighted_at),
              passage_id = CASE
                WHEN excluded.last_sighted_at >= alert.last_sighted_at THEN excluded.passage_id
                ELSE alert.passage_id
              END,
              site_id = CASE
                WHEN excluded.last_sighted_at >= alert.last_sighted_at THEN excluded.site_id
                ELSE alert.site_id
              END,
              camera_id = CASE
                WHEN excluded.last_sighted_at >= alert.last_sighted_at THEN excluded.camera_id
                ELSE alert.camera_id
              END
RETURNING id, rule, vehicle_id AS thing_id, (xmax = 0) AS is_new;

-- name: upsert_alerts_of_entries
-- The same for entries of the watchlist.
INSERT INTO alert
       (id, rule, severity, plate_text, plate_colour, vehicle_id, watchlist_entry_id, legal_basis,
        facts, state, opened_at, last_sighted_at, sightings, passage_id, site_id, camera_id)
SELECT raised.id, raised.rule, raised.severity, raised.plate_text, raised.plate_colour,
       raised.vehicle_id, raised.watchlist_entry_id, raised.legal_basis, raised.facts,
       'open' AS state, %(now)s AS opened_at, raised.last_sighted_at, raised.sightings,
       raised.passage_id, raised.site_id, raised.camera_id
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS raised (
         id uuid, rule text, severity text, plate_text text, plate_colour text, vehicle_id uuid,
         watchlist_entry_id uuid, legal_basis text, facts jsonb, last_sighted_at timestamptz,
         sightings integer, passage_id uuid, site_id text, camera_id text
       )
 ORDER BY raised.rule, raised.watchlist_entry_id
ON CONFLICT (rule, watchlist_entry_id) WHERE state <> 'closed' AND watchlist_entry_id IS NOT NULL
DO UPDATE SET sightings = alert.sightings + excluded.sightings,
              last_sighted_at = greatest(alert.last_sighted_at, excluded.last_sighted_at),
              passage_id = CASE
                WHEN excluded.last_sighted_at >= alert.last_sighted_at THEN excluded.passage_id
                ELSE alert.passage_id
              END,
              site_id = CASE
                WHEN excluded.last_sighted_at >= alert.last_sighted_at THEN excluded.site_id
                ELSE alert.site_id
              END,
              camera_id = CASE
                WHEN excluded.last_sighted_at >= alert.last_sighted_at THEN excluded.camera_id
                ELSE alert.camera_id
              END
RETURNING id, rule, watchlist_entry_id AS thing_id, (xmax = 0) AS is_new;

-- name: count_late_sightings_in
-- Add a late sighting to the open alert about the same thing, if there is one.
UPDATE alert
   SET sightings = sightings + %(sightings)s::integer
 WHERE rule = %(rule)s
   AND state <> 'closed'
   AND (
     (%(entry_id)s::uuid IS NOT NULL AND watchlist_entry_id = %(entry_id)s)
     OR (
       %(entry_id)s::uuid IS NULL
       AND watchlist_entry_id IS NULL
       AND vehicle_id = %(vehicle_id)s::uuid
     )
   )
RETURNING id;

-- name: insert_sightings
-- Keep which passages fitted which rules, with the facts as they were.
INSERT INTO alert_sighting
       (passage_id, rule, alert_id, captured_at, site_id, camera_id, is_late, judged_at, facts)
SELECT seen.passage_id, seen.rule, seen.alert_id, seen.captured_at, seen.site_id, seen.camera_id,
       seen.is_late, %(now)s AS judged_at, seen.facts
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS seen (
         passage_id uuid, rule text, alert_id uuid, captured_at timestamptz, site_id text,
         camera_id text, is_late boolean, facts jsonb
       )
 ORDER BY seen.passage_id, seen.rule;

-- name: insert_feed_entries
-- Tell live pages which alerts changed. The lock makes positions ascend with the commits.
WITH lock AS MATERIALIZED (
  SELECT pg_advisory_xact_lock(%(lock_id)s::bigint)
)
INSERT INTO alert_feed (alert_id, changed_at)
SELECT changed.id, %(now)s AS changed_at
  FROM lock
  CROSS JOIN unnest(%(alert_ids)s::uuid[]) AS changed (id)
RETURNING position;

-- name: notify_alerts
-- Wake live pages when this transaction commits.
SELECT pg_notify(%(channel)s, '');

-- name: select_alerts
-- One page of alerts, the most recently sighted first.
SELECT alert.id, alert.rule, alert.severity, alert.plate_text, alert.plate_colour,
       alert.vehicle_id, alert.watchlist_entry_id, alert.legal_basis, alert.facts, alert.state,
       alert.opened_at, alert.last_sighted_at, alert.sightings, alert.passage_id, alert.site_id,
       site.name AS site_name, alert.camera_id, camera.name AS camera_name, alert.version,
       alert.acknowledged_by, alert.acknowledged_at, alert.closed_by, alert.closed_at,
       alert.closing_reason, alert.closing_note, alert.dossier_code
  FROM alert
  INNER JOIN site ON site.id = alert.site_id
  INNER JOIN camera ON camera.site_id = alert.site_id AND camera.id = alert.camera_id
 WHERE (%(scope)s::text[] IS NULL OR alert.site_id = any(%(scope)s::text[]))
   AND (%(states)s::text[] IS NULL OR alert.state = any(%(states)s::text[]))
   AND (%(rule)s::text IS NULL OR alert.rule = %(rule)s)
   AND (%(vehicle_id)s::uuid IS NULL OR alert.vehicle_id = %(vehicle_id)s)
   AND (
     %(after_at)s::timestamptz IS NULL
     OR (alert.last_sighted_at, alert.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
   )
 ORDER BY alert.last_sighted_at DESC, alert.id DESC
 LIMIT %(rows_max)s;

-- name: count_alerts
-- How many alerts are in a state, counting no further than the limit.
SELECT count(*)
  FROM (
    SELECT 1
      FROM alert
     WHERE state = any(%(states)s::text[])
       AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
     ORDER BY last_sighted_at DESC
     LIMIT %(rows_max)s
  ) AS counted;

-- name: select_alerts_by_id
-- Alerts by id within a scope.
SELECT alert.id, alert.rule, alert.severity, alert.plate_text, alert.plate_colour,
       alert.vehicle_id, alert.watchlist_entry_id, alert.legal_basis, alert.facts, alert.state,
       alert.opened_at, alert.last_sighted_at, alert.sightings, alert.passage_id, alert.site_id,
       site.name AS site_name, alert.camera_id, camera.name AS camera_name, alert.version,
       alert.acknowledged_by, alert.acknowledged_at, alert.closed_by, alert.closed_at,
       alert.closing_reason, alert.closing_note, alert.dossier_code
  FROM alert
  INNER JOIN site ON site.id = alert.site_id
  INNER JOIN camera ON camera.site_id = alert.site_id AND camera.id = alert.camera_id
 WHERE alert.id = any(%(alert_ids)s::uuid[])
   AND (%(scope)s::text[] IS NULL OR alert.site_id = any(%(scope)s::text[]))
 ORDER BY alert.last_sighted_at DESC, alert.id DESC
 LIMIT %(rows_max)s;

-- name: select_sightings
-- Sightings of one alert at sites of the caller's scope, newest first.
SELECT passage_id, rule, captured_at, is_late, judged_at, facts
  FROM alert_sighting
 WHERE alert_id = %(alert_id)s
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
 ORDER BY captured_at DESC, passage_id DESC
 LIMIT %(rows_max)s;

-- name: select_late_sightings
-- Late passages that fitted rules and raised nothing, newest first.
SELECT passage_id, captured_at, array_agg(rule ORDER BY rule) AS rules
  FROM alert_sighting
 WHERE alert_id IS NULL
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
   AND (%(rule)s::text IS NULL OR rule = %(rule)s)
   AND (
     %(after_at)s::timestamptz IS NULL
     OR (captured_at, passage_id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
   )
 GROUP BY captured_at, passage_id
 ORDER BY captured_at DESC, passage_id DESC
 LIMIT %(rows_max)s;

-- name: lock_alert
-- An alert's version and state; others who want to act wait until the transaction ends.
SELECT version, state
  FROM alert
 WHERE id = %(alert_id)s
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
   FOR UPDATE;

-- name: acknowledge_alert
-- Somebody looks after it.
UPDATE alert
   SET state = 'acknowledged', version = version + 1, acknowledged_by = %(username)s,
       acknowledged_at = %(now)s
 WHERE id = %(alert_id)s;

-- name: close_alert
-- Somebody ended it.
UPDATE alert
   SET state = 'closed', version = version + 1, closed_by = %(username)s, closed_at = %(now)s,
       closing_reason = %(reason)s, closing_note = %(note)s
 WHERE id = %(alert_id)s;

-- name: close_alerts_by_dossier
-- A dossier put right what these alerts were about.
UPDATE alert
   SET state = 'closed', version = version + 1, closed_at = %(now)s,
       closing_reason = %(reason)s, dossier_code = %(dossier_code)s
 WHERE vehicle_id = %(vehicle_id)s
   AND rule = any(%(rules)s::text[])
   AND watchlist_entry_id IS NULL
   AND state <> 'closed'
RETURNING id;

-- name: select_feed_position
-- Where the feed of alerts ends at present.
SELECT coalesce(max(position), 0)
  FROM alert_feed;

-- name: select_feed_after
-- Which alerts changed after a position.
SELECT position, alert_id
  FROM alert_feed
 WHERE position > %(position)s
 ORDER BY position
 LIMIT %(rows_max)s;

-- name: delete_old_feed
-- Forget the feed of alerts before a time, at most so many rows at once.
DELETE FROM alert_feed
 WHERE position IN (
         SELECT position
           FROM alert_feed
          WHERE changed_at < %(before)s
          ORDER BY changed_at
          LIMIT %(rows_max)s
       );

-- name: insert_entry
-- Put a plate on the watchlist.
INSERT INTO watchlist_entry
       (id, plate_text, plate_colour, reason, note, legal_basis, listed_by, listed_at, valid_until)
VALUES (%(id)s, %(plate_text)s, %(plate_colour)s, %(reason)s, %(note)s, %(legal_basis)s,
        %(listed_by)s, %(now)s, %(valid_until)s);

-- name: remove_entry
-- Take a plate off the watchlist; its history stays.
UPDATE watchlist_entry
   SET removed_by = %(username)s, removed_at = %(now)s
 WHERE id = %(entry_id)s
   AND removed_at IS NULL
RETURNING plate_text;

-- name: select_entries
-- One page of the watchlist, newest first; the list holds for the whole province.
SELECT id, plate_text, plate_colour, reason, note, legal_basis, listed_by, listed_at, valid_until,
       removed_by, removed_at
  FROM watchlist_entry
 WHERE (
     removed_at IS NULL AND (valid_until IS NULL OR valid_until > %(now)s)
   ) = %(is_holding)s::boolean
   AND (%(plate_like)s::text IS NULL OR plate_text LIKE %(plate_like)s)
   AND (
     %(after_at)s::timestamptz IS NULL
     OR (listed_at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
   )
 ORDER BY listed_at DESC, id DESC
 LIMIT %(rows_max)s;
