-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: insert_procedure_version
-- Keep a version of a procedure as it stands in its file; nothing when it was kept before.
INSERT INTO procedure_version (
  procedure_id, version, valid_from, valid_until, definition_sha256, definition, loaded_at
)
VALUES (
  %(procedure_id)s::text, %(version)s::integer, %(valid_from)s::date, %(valid_until)s::date,
  %(sha256)s::bytea, %(definition)s::jsonb, %(loaded_at)s::timestamptz
)
ON CONFLICT (procedure_id, version) DO NOTHING
RETURNING version;

-- name: select_procedure_hash
-- Hash under which a version was loaded.
SELECT definition_sha256
  FROM procedure_version
 WHERE procedure_id = %(procedure_id)s::text
   AND version = %(version)s::integer;

-- name: select_procedure_starts
-- First days of every version of a procedure, oldest version first.
SELECT version, valid_from
  FROM procedure_version
 WHERE procedure_id = %(procedure_id)s::text
 ORDER BY version
 LIMIT %(rows_max)s::bigint;

-- name: select_procedure_version
-- One version as it was loaded.
SELECT definition
  FROM procedure_version
 WHERE procedure_id = %(procedure_id)s::text
   AND version = %(version)s::integer;

-- name: select_procedures_in_force
-- The newest version of each procedure that has begun on a day, unless the procedure has ended.
SELECT newest.definition
  FROM (
    SELECT DISTINCT ON (procedure_id) procedure_id, valid_until, definition
      FROM procedure_version
     WHERE valid_from <= %(day)s::date
       AND (%(procedure_id)s::text IS NULL OR procedure_id = %(procedure_id)s::text)
     ORDER BY procedure_id ASC, version DESC
  ) AS newest
 WHERE newest.valid_until IS NULL OR newest.valid_until > %(day)s::date
 ORDER BY newest.procedure_id
 LIMIT %(rows_max)s::bigint;

-- name: insert_calendar
-- Keep a version of the official calendar; nothing when it was kept before.
INSERT INTO working_calendar (
  version, covers_from, covers_until, definition_sha256, source, confidence, loaded_at
)
VALUES (
  %(version)s::integer, %(covers_from)s::date, %(covers_until)s::date, %(sha256)s::bytea,
  %(source)s::text, %(confidence)s::text, %(loaded_at)s::timestamptz
)
ON CONFLICT (version) DO NOTHING
RETURNING version;

-- name: select_calendar_hash
-- Hash under which a version of the calendar was loaded.
SELECT definition_sha256 FROM working_calendar WHERE version = %(version)s::integer;

-- name: insert_calendar_day
-- A day that differs from "Monday to Friday".
INSERT INTO working_calendar_day (version, day, is_working, name_vi, source, confidence)
VALUES (
  %(version)s::integer, %(day)s::date, %(is_working)s::boolean, %(name_vi)s::text,
  %(source)s::text, %(confidence)s::text
);

-- name: insert_calendar_hours
-- A part of the office hours of a working day.
INSERT INTO working_calendar_hours (
  version, valid_from, opens_at, closes_at, source, confidence
)
VALUES (
  %(version)s::integer, %(valid_from)s::date, %(opens_at)s::time, %(closes_at)s::time,
  %(source)s::text, %(confidence)s::text
);

-- name: select_newest_calendar
-- The calendar that deadlines are counted with.
SELECT version, covers_from, covers_until
  FROM working_calendar
 ORDER BY version DESC
 LIMIT 1;

-- name: select_calendar_days
-- Days of a calendar that differ from "Monday to Friday".
SELECT day, is_working
  FROM working_calendar_day
 WHERE version = %(version)s::integer
 ORDER BY day
 LIMIT %(rows_max)s::bigint;

-- name: select_calendar_hours
-- Office hours of a calendar, in the order of days and of the clock.
SELECT valid_from, opens_at, closes_at
  FROM working_calendar_hours
 WHERE version = %(version)s::integer
 ORDER BY valid_from, opens_at
 LIMIT %(rows_max)s::bigint;
