-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Passages counted by minute, hour and day, and which minutes must be counted again.

CREATE TABLE passage_touched (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  minute_at timestamptz NOT NULL
);
COMMENT ON TABLE passage_touched IS
  'Minutes whose passages changed, written with them; the job that counts them deletes the rows. '
  'The same minute may stand here often: writers only append, so that none waits for another.';

CREATE TABLE passage_minute (
  minute_at timestamptz NOT NULL,
  site_id slug NOT NULL,
  passages integer NOT NULL CHECK (passages >= 1),
  plates_read integer NOT NULL CHECK (plates_read BETWEEN 0 AND passages),
  late integer NOT NULL CHECK (late BETWEEN 0 AND passages),
  motorcycles integer NOT NULL CHECK (motorcycles BETWEEN 0 AND passages),
  cars integer NOT NULL CHECK (cars BETWEEN 0 AND passages),
  buses integer NOT NULL CHECK (buses BETWEEN 0 AND passages),
  trucks integer NOT NULL CHECK (trucks BETWEEN 0 AND passages),
  speeds_kmh real[] NOT NULL,
  latencies_s real[] NOT NULL,
  PRIMARY KEY (minute_at, site_id)
);
SELECT create_hypertable(
  'passage_minute', by_range('minute_at', INTERVAL '28 days'), create_default_indexes => false
);
CREATE INDEX passage_minute_site ON passage_minute (site_id, minute_at DESC);
COMMENT ON TABLE passage_minute IS
  'Passages of one site in one minute; a minute without any has no row. No plate is in it.';
COMMENT ON COLUMN passage_minute.speeds_kmh IS 'Every speed that was measured, in no order.';
COMMENT ON COLUMN passage_minute.latencies_s IS
  'Seconds from the camera''s line to the commit, of passages that were not sent late.';

CREATE TABLE passage_hour (
  hour_at timestamptz NOT NULL,
  site_id slug NOT NULL,
  passages integer NOT NULL CHECK (passages >= 1),
  plates_read integer NOT NULL CHECK (plates_read BETWEEN 0 AND passages),
  late integer NOT NULL CHECK (late BETWEEN 0 AND passages),
  motorcycles integer NOT NULL CHECK (motorcycles BETWEEN 0 AND passages),
  cars integer NOT NULL CHECK (cars BETWEEN 0 AND passages),
  buses integer NOT NULL CHECK (buses BETWEEN 0 AND passages),
  trucks integer NOT NULL CHECK (trucks BETWEEN 0 AND passages),
  speed_counts integer[] NOT NULL,
  latency_counts integer[] NOT NULL,
  PRIMARY KEY (hour_at, site_id)
);
SELECT create_hypertable(
  'passage_hour', by_range('hour_at', INTERVAL '1 year'), create_default_indexes => false
);
CREATE INDEX passage_hour_site ON passage_hour (site_id, hour_at DESC);
COMMENT ON TABLE passage_hour IS
  'The same by hour; how many speeds and latencies fell into each class of their histograms.';

CREATE TABLE passage_day (
  day date NOT NULL,
  site_id slug NOT NULL,
  passages integer NOT NULL CHECK (passages >= 1),
  plates_read integer NOT NULL CHECK (plates_read BETWEEN 0 AND passages),
  late integer NOT NULL CHECK (late BETWEEN 0 AND passages),
  motorcycles integer NOT NULL CHECK (motorcycles BETWEEN 0 AND passages),
  cars integer NOT NULL CHECK (cars BETWEEN 0 AND passages),
  buses integer NOT NULL CHECK (buses BETWEEN 0 AND passages),
  trucks integer NOT NULL CHECK (trucks BETWEEN 0 AND passages),
  speed_counts integer[] NOT NULL,
  latency_counts integer[] NOT NULL,
  PRIMARY KEY (day, site_id)
);
CREATE INDEX passage_day_site ON passage_day (site_id, day DESC);
COMMENT ON TABLE passage_day IS 'The same by day of Vietnamese time, made of its hours.';

-- What is stored already is counted by the job as well. On a grown table this takes longer than a
-- step may: it runs once, and blocks no writer.
SET LOCAL statement_timeout = '30min';
INSERT INTO passage_touched (minute_at)
SELECT DISTINCT date_trunc('minute', captured_at) AS minute_at
  FROM passage;
