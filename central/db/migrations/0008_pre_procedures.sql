-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Procedures and their versions, the official calendar, dossiers, documents and notices.

CREATE TABLE procedure_version (
  procedure_id text COLLATE "C" NOT NULL CHECK (procedure_id ~ '^[a-z][a-z0-9-]{2,59}$'),
  version integer NOT NULL CHECK (version >= 1),
  valid_from date NOT NULL,
  valid_until date CHECK (valid_until > valid_from),
  definition_sha256 sha256_digest NOT NULL,
  definition jsonb NOT NULL,
  loaded_at timestamptz NOT NULL,
  PRIMARY KEY (procedure_id, version),
  UNIQUE (procedure_id, valid_from)
);
COMMENT ON TABLE procedure_version IS
  'Every version that was ever in force, as it stood in its file: a dossier ends under its own. '
  'In force on a day is the newest one that has begun.';
COMMENT ON COLUMN procedure_version.valid_until IS
  'First day on which the procedure no longer exists; a newer version needs no end of the older.';

CREATE TABLE working_calendar (
  version integer PRIMARY KEY CHECK (version >= 1),
  covers_from date NOT NULL,
  covers_until date NOT NULL CHECK (covers_until > covers_from),
  definition_sha256 sha256_digest NOT NULL UNIQUE,
  source text NOT NULL,
  confidence text NOT NULL CHECK (confidence IN ('high', 'medium', 'low')),
  loaded_at timestamptz NOT NULL
);
CREATE TABLE working_calendar_day (
  version integer NOT NULL REFERENCES working_calendar (version),
  day date NOT NULL,
  is_working boolean NOT NULL,
  name_vi text NOT NULL CHECK (char_length(name_vi) BETWEEN 1 AND 200),
  source text NOT NULL,
  confidence text NOT NULL CHECK (confidence IN ('high', 'medium', 'low')),
  PRIMARY KEY (version, day)
);
COMMENT ON TABLE working_calendar_day IS
  'Days that differ from "Monday to Friday": holidays, and Saturdays worked in their place.';

CREATE TABLE working_calendar_hours (
  version integer NOT NULL REFERENCES working_calendar (version),
  valid_from date NOT NULL,
  opens_at time NOT NULL,
  closes_at time NOT NULL CHECK (closes_at > opens_at),
  source text NOT NULL,
  confidence text NOT NULL CHECK (confidence IN ('high', 'medium', 'low')),
  PRIMARY KEY (version, valid_from, opens_at)
);
COMMENT ON TABLE working_calendar_hours IS
  'Office hours of a working day in Vietnam time, from a day on; together eight hours.';

CREATE TABLE dossier_serial (
  agency_code text COLLATE "C" NOT NULL,
  received_on date NOT NULL,
  last_serial integer NOT NULL CHECK (last_serial BETWEEN 1 AND 9999),
  PRIMARY KEY (agency_code, received_on)
);

CREATE TABLE dossier (
  id uuid PRIMARY KEY,
  code text COLLATE "C" NOT NULL UNIQUE CHECK (
    code ~ '^[A-Z][0-9]{2}(\.[0-9]{1,3}){0,3}-[0-9]{6}-[0-9]{4}$'
  ),
  procedure_id text COLLATE "C" NOT NULL,
  procedure_version integer NOT NULL,
  submission_key text COLLATE "C" NOT NULL UNIQUE CHECK (
    char_length(submission_key) BETWEEN 8 AND 120
  ),
  channel text NOT NULL CHECK (channel IN ('counter', 'online', 'post')),
  state text NOT NULL CHECK (
    state IN (
      'received', 'supplement_requested', 'approved', 'rejected', 'withdrawn', 'returned'
    )
  ),
  version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
  applicant_id uuid NOT NULL REFERENCES party (id),
  taken_in_by text NOT NULL,
  submitted_by text NOT NULL CHECK (char_length(submitted_by) BETWEEN 1 AND 200),
  contact_phone text CHECK (contact_phone ~ '^\+?[0-9 ]{8,16}$'),
  contact_email text CHECK (char_length(contact_email) <= 254),
  vehicle_id uuid REFERENCES vehicle (id),
  request jsonb NOT NULL,
  received_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  calendar_version integer NOT NULL REFERENCES working_calendar (version),
  remaining_minutes integer CHECK (remaining_minutes >= 0),
  supplements integer NOT NULL DEFAULT 0 CHECK (supplements >= 0),
  ended_at timestamptz,
  FOREIGN KEY (procedure_id, procedure_version)
  REFERENCES procedure_version (procedure_id, version),
  CHECK ((state = 'supplement_requested') = (remaining_minutes IS NOT NULL)),
  CHECK ((state IN ('received', 'supplement_requested')) = (ended_at IS NULL))
);
CREATE INDEX dossier_open ON dossier ((remaining_minutes IS NOT NULL), due_at, id)
WHERE ended_at IS NULL;
CREATE INDEX dossier_ended ON dossier (ended_at DESC, id DESC) WHERE ended_at IS NOT NULL;
CREATE INDEX dossier_vehicle ON dossier (vehicle_id, received_at DESC);
COMMENT ON COLUMN dossier.remaining_minutes IS
  'Working minutes left when the clock was stopped for a supplement; NULL while it runs.';
COMMENT ON COLUMN dossier.due_at IS
  'Appointment for the result, counted with the stored version of the calendar.';

CREATE TABLE dossier_paper (
  dossier_id uuid NOT NULL REFERENCES dossier (id),
  paper text NOT NULL CHECK (paper ~ '^[a-z][a-z0-9_]{2,59}$'),
  form text NOT NULL CHECK (form IN ('original', 'copy', 'electronic')),
  received_at timestamptz NOT NULL,
  note text NOT NULL DEFAULT '' CHECK (char_length(note) <= 300),
  PRIMARY KEY (dossier_id, paper)
);
COMMENT ON TABLE dossier_paper IS 'Which of the required papers were handed in, and as what.';

CREATE TABLE dossier_event (
  dossier_id uuid NOT NULL REFERENCES dossier (id),
  seq integer NOT NULL CHECK (seq >= 1),
  occurred_at timestamptz NOT NULL,
  action text NOT NULL CHECK (action ~ '^[a-z][a-z_]{2,39}$'),
  state_before text,
  state_after text NOT NULL,
  actor text NOT NULL,
  note text NOT NULL DEFAULT '' CHECK (char_length(note) <= 1000),
  due_at timestamptz NOT NULL,
  papers text[] NOT NULL DEFAULT '{}',
  facts jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(facts) = 'array'),
  PRIMARY KEY (dossier_id, seq)
);
COMMENT ON TABLE dossier_event IS
  'What was done with a dossier, and the facts a decision rested on; the truth, only grows.';
COMMENT ON COLUMN dossier_event.papers IS
  'Papers that were handed in, or asked for by a request for a supplement.';
REVOKE UPDATE, DELETE, TRUNCATE ON dossier_event, procedure_version, working_calendar,
working_calendar_day, working_calendar_hours FROM luuthong_app;

CREATE TABLE document (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{2,39}$'),
  subject_kind text NOT NULL CHECK (subject_kind ~ '^[a-z][a-z_]{2,39}$'),
  subject_id text NOT NULL CHECK (char_length(subject_id) BETWEEN 1 AND 200),
  revision integer NOT NULL CHECK (revision >= 1),
  content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 8388608),
  content_sha256 sha256_digest NOT NULL,
  values_sha256 sha256_digest NOT NULL,
  template text NOT NULL,
  signed_by text,
  signed_at timestamptz,
  made_at timestamptz NOT NULL,
  UNIQUE (subject_kind, subject_id, kind, revision),
  CHECK ((signed_by IS NULL) = (signed_at IS NULL))
);
COMMENT ON TABLE document IS
  'Papers that the authority gave out, as PDF; kept in the database so that a decision and its '
  'paper are one transaction.';
COMMENT ON COLUMN document.values_sha256 IS
  'Hash of what stands on it: a job that is repeated finds its paper made, though a second '
  'signature would have other bytes.';
REVOKE UPDATE, DELETE, TRUNCATE ON document FROM luuthong_app;

CREATE TABLE notice (
  id uuid PRIMARY KEY,
  subject_kind text NOT NULL CHECK (subject_kind ~ '^[a-z][a-z_]{2,39}$'),
  subject_id text NOT NULL CHECK (char_length(subject_id) BETWEEN 1 AND 200),
  template text NOT NULL CHECK (template ~ '^[a-z][a-z_]{2,39}$'),
  channel text NOT NULL CHECK (channel IN ('page', 'email')),
  address text CHECK (char_length(address) <= 254),
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 300),
  body text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 4000),
  state text NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  created_at timestamptz NOT NULL,
  sent_at timestamptz,
  failure text,
  CHECK ((channel = 'email') = (address IS NOT NULL)),
  CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX notice_subject ON notice (subject_kind, subject_id, created_at);
CREATE INDEX notice_queued ON notice (created_at) WHERE state = 'queued';
