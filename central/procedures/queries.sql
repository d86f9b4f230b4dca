-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: lock_submission
-- Let one transaction at a time take in dossiers with a submission key.
SELECT pg_advisory_xact_lock(hashtextextended('dossier:' || %(submission_key)s::text, 0));

-- name: next_serial
-- The next number of a day, without gaps: who asks later waits for the commit of who asked first.
-- Nothing when the four digits of a code are used up.
INSERT INTO dossier_serial (agency_code, received_on, last_serial)
VALUES (%(agency_code)s::text, %(received_on)s::date, 1)
ON CONFLICT (agency_code, received_on)
DO UPDATE SET last_serial = dossier_serial.last_serial + 1
WHERE dossier_serial.last_serial < %(serial_max)s::integer
RETURNING last_serial;

-- name: insert_dossier
-- A dossier that was taken in.
INSERT INTO dossier (
  id, code, procedure_id, procedure_version, submission_key, channel, state, applicant_id,
  taken_in_by, submitted_by, contact_phone, contact_email, vehicle_id, request, received_at,
  due_at, calendar_version
)
VALUES (
  %(id)s::uuid, %(code)s::text, %(procedure_id)s::text, %(procedure_version)s::integer,
  %(submission_key)s::text, %(channel)s::text, %(state)s::text, %(applicant_id)s::uuid,
  %(taken_in_by)s::text, %(submitted_by)s::text, %(contact_phone)s::text,
  %(contact_email)s::text, %(vehicle_id)s::uuid, %(request)s::jsonb,
  %(received_at)s::timestamptz, %(due_at)s::timestamptz, %(calendar_version)s::integer
);

-- name: upsert_paper
-- A paper that was handed in; a supplement replaces what was there.
INSERT INTO dossier_paper (dossier_id, paper, form, received_at, note)
VALUES (
  %(dossier_id)s::uuid, %(paper)s::text, %(form)s::text, %(received_at)s::timestamptz,
  %(note)s::text
)
ON CONFLICT (dossier_id, paper)
DO UPDATE SET form = excluded.form, received_at = excluded.received_at, note = excluded.note;

-- name: insert_event
-- What was done with a dossier; the number follows the last one.
INSERT INTO dossier_event (
  dossier_id, seq, occurred_at, action, state_before, state_after, actor, note, due_at, papers,
  facts
)
SELECT %(dossier_id)s::uuid, coalesce(max(seq), 0) + 1 AS seq, %(occurred_at)s::timestamptz,
       %(action)s::text, %(state_before)s::text, %(state_after)s::text, %(actor)s::text,
       %(note)s::text, %(due_at)s::timestamptz, %(papers)s::text[], %(facts)s::jsonb
  FROM dossier_event
 WHERE dossier_id = %(dossier_id)s::uuid;

-- name: select_dossier
-- One dossier by its code.
SELECT id, code, procedure_id, procedure_version, submission_key, channel, state, version,
       applicant_id, taken_in_by, submitted_by, contact_phone, contact_email, vehicle_id, request,
       received_at, due_at, calendar_version, remaining_minutes, supplements, ended_at
  FROM dossier
 WHERE code = %(code)s::text;

-- name: select_dossier_by_id
-- One dossier by its id, for jobs.
SELECT id, code, procedure_id, procedure_version, submission_key, channel, state, version,
       applicant_id, taken_in_by, submitted_by, contact_phone, contact_email, vehicle_id, request,
       received_at, due_at, calendar_version, remaining_minutes, supplements, ended_at
  FROM dossier
 WHERE id = %(dossier_id)s::uuid;

-- name: lock_dossier
-- One dossier that is about to change; others wait.
SELECT id, code, procedure_id, procedure_version, submission_key, channel, state, version,
       applicant_id, taken_in_by, submitted_by, contact_phone, contact_email, vehicle_id, request,
       received_at, due_at, calendar_version, remaining_minutes, supplements, ended_at
  FROM dossier
 WHERE code = %(code)s::text
   FOR UPDATE;

-- name: select_dossier_by_submission
-- The dossier that was taken in with a submission key.
SELECT id, code, procedure_id, procedure_version, submission_key, channel, state, version,
       applicant_id, taken_in_by, submitted_by, contact_phone, contact_email, vehicle_id, request,
       received_at, due_at, calendar_version, remaining_minutes, supplements, ended_at
  FROM dossier
 WHERE submission_key = %(submission_key)s::text;

-- name: update_dossier
-- What an action leads to.
UPDATE dossier
   SET state = %(state)s::text,
       version = version + 1,
       due_at = %(due_at)s::timestamptz,
       calendar_version = %(calendar_version)s::integer,
       remaining_minutes = %(remaining_minutes)s::integer,
       supplements = %(supplements)s::integer,
       ended_at = %(ended_at)s::timestamptz
 WHERE id = %(dossier_id)s::uuid
   AND version = %(version)s::integer;

-- name: select_papers
-- What was handed in for a dossier.
SELECT paper, form, received_at, note
  FROM dossier_paper
 WHERE dossier_id = %(dossier_id)s::uuid
 ORDER BY received_at, paper
 LIMIT %(rows_max)s::bigint;

-- name: select_events
-- What was done with a dossier, oldest first.
SELECT seq, occurred_at, action, state_before, state_after, actor, note, due_at, papers,
       facts
  FROM dossier_event
 WHERE dossier_id = %(dossier_id)s::uuid
 ORDER BY seq
 LIMIT %(rows_max)s::bigint;

-- name: list_open_dossiers
-- One page of open dossiers by appointment; those whose clock stands still come last.
WITH page AS (
  SELECT *
    FROM dossier
   WHERE ended_at IS NULL
     AND (%(states)s::text[] IS NULL OR state = any(%(states)s::text[]))
     AND (%(procedure_id)s::text IS NULL OR procedure_id = %(procedure_id)s::text)
     AND (%(taken_in_by)s::text IS NULL OR taken_in_by = %(taken_in_by)s::text)
     AND (%(code_like)s::text IS NULL OR code LIKE %(code_like)s::text)
     AND (
       %(after_at)s::timestamptz IS NULL
       OR ((remaining_minutes IS NOT NULL), due_at, id)
          > (%(after_paused)s::boolean, %(after_at)s::timestamptz, %(after_id)s::uuid)
     )
   ORDER BY (remaining_minutes IS NOT NULL), due_at, id
   LIMIT %(rows_max)s::bigint
)
SELECT page.id, page.code, page.procedure_id, page.procedure_version, page.state,
       party.name AS applicant_name, plate.plate_text, page.received_at, page.due_at,
       page.remaining_minutes, page.supplements, page.ended_at
  FROM page
  INNER JOIN party ON party.id = page.applicant_id
  LEFT JOIN vehicle_plate AS plate
         ON plate.vehicle_id = page.vehicle_id
        AND daterange(plate.valid_from, plate.valid_until)
            @> (page.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
 ORDER BY (page.remaining_minutes IS NOT NULL), page.due_at, page.id;

-- name: list_ended_dossiers
-- One page of dossiers that were decided or withdrawn, newest end first.
WITH page AS (
  SELECT *
    FROM dossier
   WHERE ended_at IS NOT NULL
     AND (%(states)s::text[] IS NULL OR state = any(%(states)s::text[]))
     AND (%(procedure_id)s::text IS NULL OR procedure_id = %(procedure_id)s::text)
     AND (%(taken_in_by)s::text IS NULL OR taken_in_by = %(taken_in_by)s::text)
     AND (%(code_like)s::text IS NULL OR code LIKE %(code_like)s::text)
     AND (
       %(after_at)s::timestamptz IS NULL
       OR (ended_at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
     )
   ORDER BY ended_at DESC, id DESC
   LIMIT %(rows_max)s::bigint
)
SELECT page.id, page.code, page.procedure_id, page.procedure_version, page.state,
       party.name AS applicant_name, plate.plate_text, page.received_at, page.due_at,
       page.remaining_minutes, page.supplements, page.ended_at
  FROM page
  INNER JOIN party ON party.id = page.applicant_id
  LEFT JOIN vehicle_plate AS plate
         ON plate.vehicle_id = page.vehicle_id
        AND daterange(plate.valid_from, plate.valid_until)
            @> (page.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
 ORDER BY page.ended_at DESC, page.id DESC;

-- name: list_dossiers_of_vehicle
-- Newest dossiers about a vehicle.
WITH page AS (
  SELECT *
    FROM dossier
   WHERE vehicle_id = %(vehicle_id)s::uuid
   ORDER BY received_at DESC, id DESC
   LIMIT %(rows_max)s::bigint
)
SELECT page.id, page.code, page.procedure_id, page.procedure_version, page.state,
       party.name AS applicant_name, plate.plate_text, page.received_at, page.due_at,
       page.remaining_minutes, page.supplements, page.ended_at
  FROM page
  INNER JOIN party ON party.id = page.applicant_id
  LEFT JOIN vehicle_plate AS plate
         ON plate.vehicle_id = page.vehicle_id
        AND daterange(plate.valid_from, plate.valid_until)
            @> (page.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
 ORDER BY page.received_at DESC, page.id DESC;

-- name: count_open_dossiers
-- Open dossiers: all of them, those past their appointment, those whose clock stands still. Counts
-- no further than the limit.
SELECT count(*) AS open,
       count(*) FILTER (
         WHERE bounded.remaining_minutes IS NULL AND bounded.due_at < %(now)s::timestamptz
       ) AS overdue,
       count(bounded.remaining_minutes) AS paused
  FROM (
    SELECT due_at, remaining_minutes
      FROM dossier
     WHERE ended_at IS NULL
     ORDER BY (remaining_minutes IS NOT NULL), due_at, id
     LIMIT %(rows_max)s::bigint
  ) AS bounded;
