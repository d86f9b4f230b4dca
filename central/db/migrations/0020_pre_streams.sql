-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Traffic minutes, incidents and notices about pictures, as devices tell them.

CREATE TABLE traffic_minute (
  minute_at timestamptz NOT NULL,
  id uuid NOT NULL,
  captured_at timestamptz NOT NULL,
  stored_at timestamptz NOT NULL,
  device_id slug NOT NULL REFERENCES device,
  stream_id bigint NOT NULL,
  seq bigint NOT NULL CHECK (seq >= 1),
  boot_id uuid NOT NULL,
  site_id slug NOT NULL,
  camera_id slug NOT NULL,
  lane smallint CHECK (lane BETWEEN 1 AND 64),
  frames_analysed integer NOT NULL CHECK (frames_analysed >= 0),
  frames_dropped integer NOT NULL CHECK (frames_dropped >= 0),
  counts jsonb NOT NULL CHECK (jsonb_typeof(counts) = 'array'),
  clock_source text NOT NULL CHECK (clock_source IN ('ntp', 'ptp', 'gps', 'system', 'file')),
  clock_error_ms integer NOT NULL CHECK (clock_error_ms >= 0),
  is_late boolean NOT NULL,
  PRIMARY KEY (minute_at, id)
);
SELECT create_hypertable(
  'traffic_minute', by_range('minute_at', INTERVAL '28 days'), create_default_indexes => false
);
CREATE INDEX traffic_minute_camera ON traffic_minute (site_id, camera_id, minute_at DESC);
COMMENT ON TABLE traffic_minute IS
  'What one camera counted in one minute, a minute without any vehicle included: it tells that the '
  'camera looked. Its id is claimed like a passage''s.';

CREATE TABLE incident_report (
  id uuid PRIMARY KEY,
  incident_id uuid NOT NULL,
  kind text NOT NULL CHECK (
    kind IN (
      'stopped_vehicle', 'wrong_way', 'slow_traffic', 'person_on_road', 'object_on_road',
      'camera_blind', 'camera_moved'
    )
  ),
  phase text NOT NULL CHECK (phase IN ('begun', 'lasts', 'ended')),
  began_at timestamptz NOT NULL,
  captured_at timestamptz NOT NULL,
  stored_at timestamptz NOT NULL,
  device_id slug NOT NULL REFERENCES device,
  stream_id bigint NOT NULL,
  seq bigint NOT NULL CHECK (seq >= 1),
  boot_id uuid NOT NULL,
  site_id slug NOT NULL,
  camera_id slug NOT NULL,
  lane smallint CHECK (lane BETWEEN 1 AND 64),
  confidence real NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  box jsonb CHECK (jsonb_typeof(box) = 'object'),
  pictures sha256_digest [] NOT NULL,
  clock_source text NOT NULL CHECK (clock_source IN ('ntp', 'ptp', 'gps', 'system', 'file')),
  clock_error_ms integer NOT NULL CHECK (clock_error_ms >= 0),
  is_late boolean NOT NULL,
  CHECK (began_at <= captured_at)
);
CREATE INDEX incident_report_incident ON incident_report (incident_id, captured_at DESC);
CREATE INDEX incident_report_site ON incident_report (site_id, captured_at DESC);
COMMENT ON TABLE incident_report IS
  'One telling of an incident; the newest by captured_at says how the incident stands.';

CREATE TABLE evidence_notice (
  id uuid PRIMARY KEY,
  event_id uuid NOT NULL,
  sha256 sha256_digest NOT NULL,
  fate text NOT NULL CHECK (fate IN ('dropped_for_room', 'unreadable')),
  captured_at timestamptz NOT NULL,
  stored_at timestamptz NOT NULL,
  device_id slug NOT NULL REFERENCES device,
  stream_id bigint NOT NULL,
  seq bigint NOT NULL CHECK (seq >= 1),
  boot_id uuid NOT NULL,
  site_id slug NOT NULL,
  clock_source text NOT NULL CHECK (clock_source IN ('ntp', 'ptp', 'gps', 'system', 'file')),
  clock_error_ms integer NOT NULL CHECK (clock_error_ms >= 0),
  is_late boolean NOT NULL
);
CREATE INDEX evidence_notice_picture ON evidence_notice (sha256);
COMMENT ON TABLE evidence_notice IS
  'A picture that its device can''t upload any more, and why; the centre need not wait for it.';
