-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Data protection concerns the whole province, so nothing here has a scope: who may read it is the
-- permission protect_data, and each look is audited. A look is an entry of a user with a key.

-- name: select_vehicles_of_plate
-- Registered vehicles that bear a plate or bore it.
SELECT DISTINCT vehicle_id
  FROM vehicle_plate
 WHERE plate_text = %(plate)s
 ORDER BY vehicle_id
 LIMIT %(rows_max)s;

-- name: select_plates_of_vehicle
-- Plates that a vehicle bears or bore and no other vehicle ever did.
SELECT DISTINCT borne.plate_text
  FROM vehicle_plate AS borne
 WHERE borne.vehicle_id = %(vehicle_id)s
   AND NOT EXISTS (
     SELECT 1
       FROM vehicle_plate AS other
      WHERE other.plate_text = borne.plate_text
        AND other.vehicle_id <> borne.vehicle_id
   );

-- name: select_looks
-- Looks at a vehicle or plate, newest first.
SELECT id, occurred_at, actor, actor_role, action, purpose, case_reference, client_address
  FROM audit_entry
 WHERE (
         key_id = any(%(key_ids)s::uuid[])
         OR (subject_kind = 'vehicle' AND subject_id = any(%(vehicle_ids)s::text[]))
       )
   AND actor_kind = 'user'
   AND outcome = 'done'
   AND (%(before_id)s::bigint IS NULL OR id < %(before_id)s)
 ORDER BY id DESC
 LIMIT %(rows_max)s;

-- name: select_rules
-- Every rule.
SELECT name, is_enabled, parameters, version, changed_by, changed_at
  FROM protection_rule
 ORDER BY name;

-- name: update_rule
-- Set a rule, if nobody else did meanwhile.
UPDATE protection_rule
   SET is_enabled = %(is_enabled)s, parameters = %(parameters)s, version = version + 1,
       changed_by = %(username)s, changed_at = %(now)s
 WHERE name = %(name)s
   AND version = %(version)s
RETURNING name;

-- name: count_looks_by_day
-- Looks of every official by day, and those outside the hours of the rule.
SELECT looked.actor AS username, max(looked.actor_role) AS role, looked.at::date AS day,
       count(*)::integer AS looks,
       (count(*) FILTER (
         WHERE extract(HOUR FROM looked.at) >= %(from_hour)s
            OR extract(HOUR FROM looked.at) < %(until_hour)s
       ))::integer AS outside
  FROM (
         SELECT actor, actor_role, occurred_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS at
           FROM audit_entry
          WHERE actor_kind = 'user'
            AND outcome = 'done'
            AND key_id IS NOT NULL
            AND occurred_at >= %(since)s
            AND occurred_at < %(until)s
       ) AS looked
 GROUP BY looked.actor, looked.at::date
 ORDER BY looked.actor, looked.at::date
 LIMIT %(rows_max)s;

-- name: count_looks_without_case
-- Officials who looked at the same vehicle again and again without naming a case.
SELECT actor AS username, key_id, count(*)::integer AS looks
  FROM audit_entry
 WHERE actor_kind = 'user'
   AND outcome = 'done'
   AND key_id IS NOT NULL
   AND case_reference IS NULL
   AND occurred_at >= %(since)s
   AND occurred_at < %(until)s
 GROUP BY actor, key_id
HAVING count(*) >= %(at_least)s
 ORDER BY actor, key_id
 LIMIT %(rows_max)s;

-- name: select_plates_looked_at
-- Plates that officials with listed relatives looked at; a vehicle counts with all its plates.
SELECT entry.actor AS username, entry.key_id,
       coalesce(borne.plate_text, substr(subject_key.subject, 7)) AS plate,
       count(*)::integer AS looks
  FROM audit_entry AS entry
  INNER JOIN subject_key ON subject_key.id = entry.key_id
  LEFT JOIN vehicle_plate AS borne
    ON subject_key.subject = 'vehicle:' || borne.vehicle_id::text
 WHERE entry.actor_kind = 'user'
   AND entry.outcome = 'done'
   AND entry.actor IN (SELECT relative_plate.username FROM relative_plate)
   AND (subject_key.subject LIKE 'plate:%%' OR borne.plate_text IS NOT NULL)
   AND entry.occurred_at >= %(since)s
   AND entry.occurred_at < %(until)s
 GROUP BY entry.actor, entry.key_id, coalesce(borne.plate_text, substr(subject_key.subject, 7))
 ORDER BY entry.actor, entry.key_id
 LIMIT %(rows_max)s;

-- name: upsert_finding
-- Keep a finding; one that is open follows the day, a decided one stays.
INSERT INTO protection_finding (rule, username, day, key_id, looks, usual, found_at)
VALUES (%(rule)s, %(username)s, %(day)s, %(key_id)s, %(looks)s, %(usual)s, %(now)s)
ON CONFLICT (rule, username, day, key_id)
DO UPDATE SET looks = excluded.looks, usual = excluded.usual
 WHERE protection_finding.state = 'open';

-- name: select_findings
-- Findings in a state, or all, newest first.
SELECT id, rule, username, day, key_id, looks, usual, state, found_at, decided_by, decided_at,
       reason
  FROM protection_finding
 WHERE (%(state)s::text IS NULL OR state = %(state)s)
   AND (%(before_id)s::bigint IS NULL OR id < %(before_id)s)
 ORDER BY id DESC
 LIMIT %(rows_max)s;

-- name: decide_finding
-- Say what an open finding is, once.
UPDATE protection_finding
   SET state = %(state)s, reason = %(reason)s, decided_by = %(username)s, decided_at = %(now)s
 WHERE id = %(finding_id)s
   AND state = 'open'
RETURNING username;

-- name: insert_relative
-- Keep the HMAC of a relative's plate; nothing happens when it is there or the official is not.
INSERT INTO relative_plate (username, plate_hmac, added_by, added_at)
SELECT app_user.username, %(plate_hmac)s, %(added_by)s, %(now)s
  FROM app_user
 WHERE app_user.username = %(username)s
ON CONFLICT (username, plate_hmac) DO UPDATE SET added_at = relative_plate.added_at
RETURNING id;

-- name: select_relatives
-- Listed relatives, by official.
SELECT id, username, added_by, added_at
  FROM relative_plate
 ORDER BY username, id
 LIMIT %(rows_max)s;

-- name: select_relative_hmacs
-- The same for comparing.
SELECT username, plate_hmac
  FROM relative_plate
 ORDER BY id
 LIMIT %(rows_max)s;

-- name: delete_relative
-- Take a relative off the list.
DELETE FROM relative_plate
 WHERE id = %(relative_id)s
RETURNING username;

-- name: insert_request
-- Take a request in; its code counts within the installation.
INSERT INTO data_request
       (code, kind, applicant, contact, statement, vehicle_id, received_at, received_by,
        acknowledge_by, due_on, calendar_version, legal_reference)
VALUES ('DL-' || %(year)s::text || '-' || lpad(nextval('data_request_serial')::text, 6, '0'),
        %(kind)s, %(applicant)s, %(contact)s, %(statement)s, %(vehicle_id)s, %(now)s,
        %(username)s, %(acknowledge_by)s, %(due_on)s, %(calendar_version)s, %(legal_reference)s)
RETURNING code;

-- name: select_requests
-- Requests, the last one first.
SELECT code, kind, state, applicant, contact, statement, vehicle_id, received_at, received_by,
       acknowledge_by, due_on, calendar_version, legal_reference, acknowledged_at, decided_at,
       decided_by, answer, version
  FROM data_request
 WHERE (%(before_code)s::text IS NULL OR code < %(before_code)s)
 ORDER BY code DESC
 LIMIT %(rows_max)s;

-- name: lock_request
-- One request, locked against a second decision.
SELECT code, kind, state, applicant, contact, statement, vehicle_id, received_at, received_by,
       acknowledge_by, due_on, calendar_version, legal_reference, acknowledged_at, decided_at,
       decided_by, answer, version
  FROM data_request
 WHERE code = %(code)s
   FOR UPDATE;

-- name: update_request
-- A request's next state.
UPDATE data_request
   SET state = %(state)s, version = version + 1,
       acknowledged_at = coalesce(acknowledged_at, %(now)s),
       decided_at = CASE WHEN %(is_ended)s THEN %(now)s::timestamptz END,
       decided_by = CASE WHEN %(is_ended)s THEN %(username)s::text END,
       answer = %(answer)s
 WHERE code = %(code)s;

-- name: erase_passages
-- Take the plate off a vehicle's passages, a batch of them, and mark their pictures for the erasing
-- job. What belongs to a toll crossing or an alert is kept by other law.
WITH erased AS (
  UPDATE passage
     SET plate_text = '', plate_raw_text = NULL, plate_confidence = NULL,
         plate_char_confidences = NULL, plate_is_legal = NULL, plate_alternatives = NULL,
         plate_layout = NULL, plate_colour = NULL, plate_frames_read = NULL, plate_box_px = NULL
   WHERE (captured_at, id) IN (
           SELECT each.captured_at, each.id
             FROM passage AS each
             INNER JOIN vehicle_plate AS borne
               ON borne.plate_text = each.plate_text
              AND coalesce(each.plate_colour, 'unknown') IN (borne.colour, 'unknown')
              AND (each.captured_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date >= borne.valid_from
              AND (
                borne.valid_until IS NULL
                OR (each.captured_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < borne.valid_until
              )
            WHERE borne.vehicle_id = %(vehicle_id)s
              AND each.plate_text <> ''
              AND NOT EXISTS (SELECT 1 FROM toll_crossing WHERE toll_crossing.passage_id = each.id)
              AND NOT EXISTS (
                SELECT 1 FROM alert_sighting WHERE alert_sighting.passage_id = each.id
              )
            ORDER BY each.captured_at, each.id
            LIMIT %(rows_max)s
         )
  RETURNING passage.captured_at, passage.id
),
marked AS (
  UPDATE evidence
     SET erase_after = greatest(%(now)s, stored_at + interval '1 microsecond')
   WHERE sha256 IN (
           SELECT named.sha256
             FROM passage_evidence AS named
             INNER JOIN erased
               ON erased.captured_at = named.captured_at
              AND erased.id = named.passage_id
         )
  RETURNING sha256
)
SELECT (SELECT count(*) FROM erased) AS passages, (SELECT count(*) FROM marked) AS pictures;

-- name: count_kept_passages
-- Passages of a vehicle that still bear its plate.
SELECT count(*)
  FROM passage AS each
  INNER JOIN vehicle_plate AS borne
    ON borne.plate_text = each.plate_text
   AND coalesce(each.plate_colour, 'unknown') IN (borne.colour, 'unknown')
   AND (each.captured_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date >= borne.valid_from
   AND (
     borne.valid_until IS NULL
     OR (each.captured_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < borne.valid_until
   )
 WHERE borne.vehicle_id = %(vehicle_id)s
   AND each.plate_text <> '';

-- name: destroy_keys
-- Destroy every key of some subjects: what it sealed is lost for ever.
UPDATE subject_key
   SET subject = NULL, secret = NULL, destroyed_at = %(now)s
 WHERE subject = any(%(subjects)s::text[])
RETURNING id, fingerprint;

-- name: export_vehicle
-- The register's row of a vehicle, with its owner.
SELECT to_jsonb(vehicle) || jsonb_build_object('owner', to_jsonb(party)) AS fact
  FROM vehicle
  INNER JOIN party ON party.id = vehicle.owner_id
 WHERE vehicle.id = %(vehicle_id)s
 ORDER BY vehicle.id
 LIMIT %(rows_max)s;

-- name: export_plates
-- Its plates.
SELECT to_jsonb(borne) - 'id' - 'vehicle_id' AS fact
  FROM vehicle_plate AS borne
 WHERE borne.vehicle_id = %(vehicle_id)s
 ORDER BY borne.valid_from
 LIMIT %(rows_max)s;

-- name: export_papers
-- Its badges and border permits.
SELECT jsonb_build_object(
         'paper', 'badge', 'number', number, 'kind', kind, 'valid_from', valid_from,
         'valid_until', valid_until, 'revoked_on', revoked_on
       ) AS fact
  FROM badge
 WHERE vehicle_id = %(vehicle_id)s
UNION ALL
SELECT jsonb_build_object(
         'paper', 'border_permit', 'number', number, 'kind', kind, 'valid_from', valid_from,
         'valid_until', valid_until, 'revoked_on', revoked_on
       ) AS fact
  FROM border_permit
 WHERE vehicle_id = %(vehicle_id)s
 ORDER BY fact
 LIMIT %(rows_max)s;

-- name: export_passages
-- Its passages, newest first.
SELECT jsonb_build_object(
         'captured_at', each.captured_at, 'site', site.name, 'lane', each.lane,
         'direction', each.direction, 'plate', each.plate_text, 'speed_kmh', each.speed_kmh
       ) AS fact
  FROM passage AS each
  INNER JOIN site ON site.id = each.site_id
  INNER JOIN vehicle_plate AS borne
    ON borne.plate_text = each.plate_text
   AND coalesce(each.plate_colour, 'unknown') IN (borne.colour, 'unknown')
   AND (each.captured_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date >= borne.valid_from
   AND (
     borne.valid_until IS NULL
     OR (each.captured_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date < borne.valid_until
   )
 WHERE borne.vehicle_id = %(vehicle_id)s
   AND each.plate_text <> ''
 ORDER BY each.captured_at DESC
 LIMIT %(rows_max)s;

-- name: export_crossings
-- Its toll crossings, newest first.
SELECT jsonb_build_object(
         'crossed_at', crossed_at, 'station', station_id, 'state', state,
         'amount_dong', amount_dong, 'plate', plate_text
       ) AS fact
  FROM toll_crossing
 WHERE vehicle_id = %(vehicle_id)s
 ORDER BY crossed_at DESC
 LIMIT %(rows_max)s;

-- name: export_alerts
-- Alerts about it that are closed: an open one is a case that is still being worked on.
SELECT jsonb_build_object(
         'rule', rule, 'opened_at', opened_at, 'closed_at', closed_at,
         'legal_basis', legal_basis, 'closing_reason', closing_reason
       ) AS fact
  FROM alert
 WHERE vehicle_id = %(vehicle_id)s
   AND state = 'closed'
 ORDER BY opened_at DESC
 LIMIT %(rows_max)s;

-- name: export_dossiers
-- Dossiers about it.
SELECT jsonb_build_object(
         'code', code, 'procedure', procedure_id, 'state', state, 'received_at', received_at,
         'due_at', due_at, 'ended_at', ended_at
       ) AS fact
  FROM dossier
 WHERE vehicle_id = %(vehicle_id)s
 ORDER BY received_at DESC
 LIMIT %(rows_max)s;
