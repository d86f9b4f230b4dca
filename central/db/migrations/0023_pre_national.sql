-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Figures of provinces at a national centre, and what a province has handed up to one.

CREATE TABLE passage_hour_change (
  hour_at timestamptz PRIMARY KEY,
  changed_at timestamptz NOT NULL
);
COMMENT ON TABLE passage_hour_change IS
  'When the counts of an hour were last made anew, by whoever replaced them in passage_hour.';

-- It reads the hours, never the passages: a row of each site and hour.
SET LOCAL statement_timeout = '10min';
INSERT INTO passage_hour_change (hour_at, changed_at)
SELECT DISTINCT hour_at, now()
  FROM passage_hour;

CREATE TABLE national_push (
  kind text NOT NULL CHECK (kind IN ('traffic_hour', 'toll_day', 'completeness_day')),
  starts_at timestamptz NOT NULL,
  revised_at timestamptz NOT NULL,
  content_sha256 sha256_digest NOT NULL,
  noted_at timestamptz NOT NULL,
  refusal text CHECK (char_length(refusal) BETWEEN 1 AND 100),
  PRIMARY KEY (kind, starts_at)
);
COMMENT ON TABLE national_push IS
  'In a province: the last version of every sheet of figures that the national centre answered.';
COMMENT ON COLUMN national_push.refusal IS 'Why it was not taken; NULL when it was.';

CREATE TABLE national_push_trouble (
  is_only boolean PRIMARY KEY DEFAULT TRUE CHECK (is_only),
  failures integer NOT NULL CHECK (failures >= 1),
  failed_at timestamptz NOT NULL,
  next_at timestamptz NOT NULL,
  reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 100)
);
COMMENT ON TABLE national_push_trouble IS
  'In a province: one row while the national centre does not answer, and when to try again.';

CREATE TABLE national_province (
  code slug PRIMARY KEY,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  client_id bigint NOT NULL UNIQUE REFERENCES api_client (id),
  added_by text NOT NULL CHECK (char_length(added_by) BETWEEN 1 AND 100),
  added_at timestamptz NOT NULL
);
COMMENT ON TABLE national_province IS
  'At the national centre: a province and the one program whose keys may write its figures.';

CREATE TABLE national_sheet (
  province slug NOT NULL REFERENCES national_province (code),
  kind text NOT NULL CHECK (kind IN ('traffic_hour', 'toll_day', 'completeness_day')),
  starts_at timestamptz NOT NULL,
  revised_at timestamptz NOT NULL,
  content_sha256 sha256_digest NOT NULL,
  accepted_at timestamptz NOT NULL,
  PRIMARY KEY (province, kind, starts_at)
);
CREATE INDEX national_sheet_accepted ON national_sheet (province, accepted_at DESC);
COMMENT ON TABLE national_sheet IS
  'Which version of an hour''s or a day''s figures is held; an older one never replaces it.';

CREATE TABLE national_traffic (
  province slug NOT NULL,
  hour_at timestamptz NOT NULL,
  site_id slug NOT NULL,
  passages integer NOT NULL CHECK (passages >= 1),
  plates_read integer NOT NULL CHECK (plates_read BETWEEN 0 AND passages),
  late integer NOT NULL CHECK (late BETWEEN 0 AND passages),
  motorcycles integer NOT NULL CHECK (motorcycles BETWEEN 0 AND passages),
  cars integer NOT NULL CHECK (cars BETWEEN 0 AND passages),
  buses integer NOT NULL CHECK (buses BETWEEN 0 AND passages),
  trucks integer NOT NULL CHECK (trucks BETWEEN 0 AND passages),
  PRIMARY KEY (province, hour_at, site_id)
);
SELECT create_hypertable(
  'national_traffic', by_range('hour_at', INTERVAL '28 days'), create_default_indexes => false
);
COMMENT ON TABLE national_traffic IS
  'Passages of one site in one hour, as its province counted them. No plate is in it.';

CREATE TABLE national_toll (
  province slug NOT NULL,
  day date NOT NULL,
  station_id slug NOT NULL,
  revision integer NOT NULL CHECK (revision >= 1),
  crossings integer NOT NULL CHECK (crossings >= 0),
  charged integer NOT NULL CHECK (charged BETWEEN 0 AND crossings),
  charged_dong bigint NOT NULL CHECK (charged_dong >= 0),
  PRIMARY KEY (province, day, station_id)
);
COMMENT ON TABLE national_toll IS 'Sums of a toll station''s closed day, as its province closed it.';

CREATE TABLE national_completeness (
  province slug NOT NULL,
  day date NOT NULL,
  revision integer NOT NULL CHECK (revision >= 1),
  due_count bigint NOT NULL CHECK (due_count >= 0),
  stored_count bigint NOT NULL CHECK (stored_count BETWEEN 0 AND due_count),
  gap_count bigint NOT NULL CHECK (gap_count >= 0),
  PRIMARY KEY (province, day)
);
COMMENT ON TABLE national_completeness IS 'What a province stated: captured = stored, for a day.';
