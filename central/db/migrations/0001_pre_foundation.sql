-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Sites, devices, passages, evidence, quarantine, completeness and users.

CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- A domain's rule is changed like a table's (NOT VALID, then VALIDATE), and these three are fixed
-- by the messages' contract and by SHA-256.
-- squawk-ignore ban-create-domain-with-constraint
CREATE DOMAIN slug AS text COLLATE "C" CHECK (VALUE ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$');

-- squawk-ignore ban-create-domain-with-constraint
CREATE DOMAIN probability AS real CHECK (VALUE BETWEEN 0 AND 1);

-- squawk-ignore ban-create-domain-with-constraint
CREATE DOMAIN sha256_digest AS bytea CHECK (octet_length(VALUE) = 32);

-- Where things stand -------------------------------------------------------------------------

CREATE TABLE site (
  id slug PRIMARY KEY,
  province slug NOT NULL,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  latitude double precision CHECK (latitude BETWEEN -90 AND 90),
  longitude double precision CHECK (longitude BETWEEN -180 AND 180),
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((latitude IS NULL) = (longitude IS NULL))
);
COMMENT ON TABLE site IS 'A place on a road where devices stand; name is Vietnamese.';

CREATE TABLE device (
  id slug PRIMARY KEY,
  site_id slug NOT NULL REFERENCES site (id),
  secret_hash sha256_digest NOT NULL,
  secret_set_at timestamptz NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX device_site ON device (site_id);
COMMENT ON COLUMN device.secret_hash IS
  'SHA-256 of the device''s 256 random bits; a slow hash would add nothing to such a secret.';

CREATE TABLE camera (
  site_id slug NOT NULL REFERENCES site (id),
  id slug NOT NULL,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (site_id, id)
);

CREATE TABLE lane (
  site_id slug NOT NULL,
  camera_id slug NOT NULL,
  number smallint NOT NULL CHECK (number BETWEEN 1 AND 64),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  PRIMARY KEY (site_id, camera_id, number),
  FOREIGN KEY (site_id, camera_id) REFERENCES camera (site_id, id)
);

-- How devices are ----------------------------------------------------------------------------

CREATE TABLE device_status (
  device_id slug PRIMARY KEY REFERENCES device (id),
  heartbeat_id uuid NOT NULL,
  sent_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  is_silent boolean NOT NULL DEFAULT false,
  silence_changed_at timestamptz NOT NULL,
  outbox_id uuid NOT NULL,
  outbox_events bigint NOT NULL,
  pictures_dropped bigint NOT NULL,
  clock_error_ms integer NOT NULL,
  report jsonb NOT NULL
);
COMMENT ON TABLE device_status IS 'The newest heartbeat of every device.';

CREATE TABLE device_heartbeat (
  device_id slug NOT NULL REFERENCES device (id),
  minute_at timestamptz NOT NULL,
  sent_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  report jsonb NOT NULL,
  PRIMARY KEY (device_id, minute_at)
);
CREATE INDEX device_heartbeat_minute ON device_heartbeat (minute_at);
COMMENT ON TABLE device_heartbeat IS 'Last heartbeat of every minute, for a few days.';

-- Completeness: captured = stored ------------------------------------------------------------

CREATE TABLE device_stream (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  device_id slug NOT NULL,
  outbox_id uuid NOT NULL,
  held int8multirange NOT NULL DEFAULT '{}',
  announced_seq bigint NOT NULL DEFAULT 0 CHECK (announced_seq >= 0),
  stored_count bigint NOT NULL DEFAULT 0 CHECK (stored_count >= 0),
  doubled_count bigint NOT NULL DEFAULT 0 CHECK (doubled_count >= 0),
  quarantined_count bigint NOT NULL DEFAULT 0 CHECK (quarantined_count >= 0),
  late_count bigint NOT NULL DEFAULT 0 CHECK (late_count >= 0),
  first_received_at timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  UNIQUE (device_id, outbox_id)
);
COMMENT ON TABLE device_stream IS
  'One life of one device''s outbox. No foreign key: unknown devices are accounted for, too.';
COMMENT ON COLUMN device_stream.held IS
  'Sequence numbers that are committed here, as passages or in quarantine; holes are gaps.';
COMMENT ON COLUMN device_stream.announced_seq IS 'Last number that the device says it has used.';

CREATE TABLE quarantine (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  fingerprint sha256_digest NOT NULL UNIQUE,
  reason text NOT NULL CHECK (reason ~ '^[a-z][a-z_]{2,39}$'),
  detail text NOT NULL DEFAULT '',
  topic text NOT NULL,
  payload bytea NOT NULL,
  payload_size_bytes integer NOT NULL CHECK (payload_size_bytes >= 0),
  device_id text,
  event_id uuid,
  outbox_id uuid,
  seq bigint,
  times_seen bigint NOT NULL DEFAULT 1 CHECK (times_seen >= 1),
  received_at timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  resolved_at timestamptz,
  resolution text CHECK (resolution ~ '^[a-z][a-z_]{2,39}$'),
  CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);
CREATE INDEX quarantine_open ON quarantine (reason, id) WHERE resolved_at IS NULL;
COMMENT ON TABLE quarantine IS
  'Messages that could not become rows, kept whole; the same one twice is counted, not repeated.';
COMMENT ON COLUMN quarantine.detail IS 'What is wrong, for engineers; holds no value of a plate.';

-- Passages -----------------------------------------------------------------------------------

CREATE TABLE passage_identity (
  id uuid PRIMARY KEY,
  captured_at timestamptz NOT NULL,
  stream_id bigint NOT NULL,
  seq bigint NOT NULL
);
COMMENT ON TABLE passage_identity IS
  'Guard of "stored once": a hypertable''s own unique keys must contain the time, so the same '
  'event under another time would pass them. Also finds a passage''s time by its id.';

CREATE TABLE passage (
  captured_at timestamptz NOT NULL,
  id uuid NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  device_id slug NOT NULL REFERENCES device (id),
  stream_id bigint NOT NULL,
  seq bigint NOT NULL CHECK (seq >= 1),
  boot_id uuid NOT NULL,
  site_id slug NOT NULL,
  camera_id slug NOT NULL,
  lane smallint CHECK (lane BETWEEN 1 AND 64),
  direction text NOT NULL CHECK (direction IN ('up', 'down', 'left', 'right', 'unknown')),
  first_seen_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  clock_source text NOT NULL CHECK (clock_source IN ('ntp', 'ptp', 'gps', 'system', 'file')),
  clock_error_ms integer NOT NULL CHECK (clock_error_ms >= 0),
  frame_index bigint NOT NULL CHECK (frame_index >= 0),
  frame_width_px integer NOT NULL CHECK (frame_width_px >= 1),
  frame_height_px integer NOT NULL CHECK (frame_height_px >= 1),
  vehicle_class text CHECK (vehicle_class IN ('car', 'motorcycle', 'bus', 'truck')),
  vehicle_confidence probability,
  vehicle_box_px real[] CHECK (cardinality(vehicle_box_px) = 4),
  plate_text text COLLATE "C" NOT NULL CHECK (plate_text ~ '^[A-Z0-9]{0,12}$'),
  plate_raw_text text COLLATE "C" CHECK (plate_raw_text ~ '^[A-Z0-9]{0,12}$'),
  plate_confidence probability,
  plate_char_confidences real[],
  plate_is_legal boolean,
  plate_alternatives jsonb,
  plate_layout text CHECK (plate_layout IN ('one_line', 'two_line')),
  plate_colour text CHECK (plate_colour IN ('white', 'yellow', 'blue', 'red', 'unknown')),
  plate_frames_read integer CHECK (plate_frames_read >= 1),
  plate_box_px real[] CHECK (cardinality(plate_box_px) = 4),
  speed_kmh real CHECK (speed_kmh BETWEEN 0 AND 400),
  speed_uncertainty_kmh real CHECK (speed_uncertainty_kmh BETWEEN 0 AND 400),
  models jsonb NOT NULL,
  is_late boolean NOT NULL,
  PRIMARY KEY (captured_at, id),
  FOREIGN KEY (site_id, camera_id) REFERENCES camera (site_id, id),
  CHECK (first_seen_at <= captured_at AND captured_at <= last_seen_at),
  CHECK ((vehicle_class IS NULL) = (vehicle_confidence IS NULL)),
  CHECK ((speed_kmh IS NULL) = (speed_uncertainty_kmh IS NULL)),
  CHECK (
    num_nulls(
      plate_raw_text, plate_confidence, plate_char_confidences, plate_is_legal,
      plate_alternatives, plate_layout, plate_colour, plate_frames_read, plate_box_px
    ) IN (0, 9)
  )
);
COMMENT ON TABLE passage IS 'One vehicle that crossed one camera''s view once.';
COMMENT ON COLUMN passage.plate_text IS
  'Upper case, no separators; empty when no plate was seen or nothing could be read.';

SELECT create_hypertable(
  'passage', by_range('captured_at', INTERVAL '7 days'), create_default_indexes => false
);
CREATE INDEX passage_camera ON passage (site_id, camera_id, captured_at DESC, id DESC);
CREATE INDEX passage_plate ON passage (plate_text, captured_at DESC) WHERE plate_text <> '';
CREATE INDEX passage_plate_pattern ON passage USING gin (plate_text gin_trgm_ops)
  WHERE plate_text <> '';

CREATE TABLE passage_evidence (
  captured_at timestamptz NOT NULL,
  passage_id uuid NOT NULL,
  sha256 sha256_digest NOT NULL,
  kind text NOT NULL CHECK (kind IN ('scene', 'plate')),
  media_type text NOT NULL CHECK (media_type = 'image/jpeg'),
  size_bytes integer NOT NULL CHECK (size_bytes BETWEEN 1 AND 16777216),
  PRIMARY KEY (captured_at, passage_id, sha256, kind)
);
COMMENT ON TABLE passage_evidence IS
  'Pictures that a passage names; each arrives on its own, before or after the passage.';
SELECT create_hypertable(
  'passage_evidence', by_range('captured_at', INTERVAL '7 days'), create_default_indexes => false
);

CREATE TABLE passage_feed (
  position bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  stored_at timestamptz NOT NULL,
  captured_ats timestamptz[] NOT NULL,
  passage_ids uuid[] NOT NULL,
  CHECK (cardinality(captured_ats) = cardinality(passage_ids))
);
CREATE INDEX passage_feed_stored ON passage_feed (stored_at);
COMMENT ON TABLE passage_feed IS
  'What was stored, in the order of the commits, for live pages; kept for hours. A position is '
  'drawn under a lock that is held until the commit, so no smaller one can appear later.';

-- Evidence -----------------------------------------------------------------------------------

CREATE TABLE evidence (
  sha256 sha256_digest PRIMARY KEY,
  device_id slug NOT NULL REFERENCES device (id),
  media_type text NOT NULL CHECK (media_type = 'image/jpeg'),
  size_bytes integer NOT NULL CHECK (size_bytes BETWEEN 1 AND 16777216),
  purpose text NOT NULL CHECK (purpose IN ('passage')),
  stored_at timestamptz NOT NULL,
  erase_after timestamptz NOT NULL,
  CHECK (erase_after > stored_at)
);
CREATE INDEX evidence_erasure ON evidence (erase_after);
COMMENT ON TABLE evidence IS 'Pictures in the content-addressed store outside the database.';

-- People -------------------------------------------------------------------------------------

CREATE TABLE app_user (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  username text COLLATE "C" NOT NULL UNIQUE CHECK (username ~ '^[a-z0-9][a-z0-9._-]{1,39}$'),
  display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 200),
  password_hash text NOT NULL,
  role text NOT NULL CHECK (role IN ('administrator', 'operator')),
  enabled boolean NOT NULL DEFAULT true,
  failed_logins integer NOT NULL DEFAULT 0 CHECK (failed_logins >= 0),
  login_allowed_at timestamptz,
  last_login_at timestamptz,
  created_at timestamptz NOT NULL
);

CREATE TABLE app_session (
  token_hash sha256_digest PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  CHECK (expires_at > created_at)
);
CREATE INDEX app_session_user ON app_session (user_id);
CREATE INDEX app_session_expiry ON app_session (expires_at);
COMMENT ON COLUMN app_session.token_hash IS 'SHA-256 of the cookie; the cookie itself is not kept.';
