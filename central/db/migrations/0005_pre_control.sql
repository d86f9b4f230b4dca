-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Automatic vehicle control: watchlists, alerts, and what each passage meant.

-- What was stored before control began counts as judged at this moment.
ALTER TABLE passage_feed ADD COLUMN judged_at timestamptz DEFAULT now();
-- squawk-ignore ban-drop-default
ALTER TABLE passage_feed ALTER COLUMN judged_at DROP DEFAULT;
COMMENT ON COLUMN passage_feed.judged_at IS
  'When control had judged this commit''s passages; entries are kept until then.';
-- The feed holds some hours' commits and no more.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX passage_feed_unjudged ON passage_feed (position) WHERE judged_at IS NULL;

CREATE TABLE watchlist_entry (
  id uuid PRIMARY KEY,
  plate_text text COLLATE "C" NOT NULL CHECK (plate_text ~ '^[A-Z0-9]{4,12}$'),
  plate_colour text CHECK (plate_colour IN ('white', 'yellow', 'blue', 'red')),
  reason text NOT NULL CHECK (reason ~ '^[a-z][a-z_]{2,39}$'),
  note text NOT NULL DEFAULT '' CHECK (char_length(note) <= 500),
  legal_basis text NOT NULL CHECK (char_length(legal_basis) BETWEEN 1 AND 300),
  listed_by text NOT NULL,
  listed_at timestamptz NOT NULL,
  valid_until timestamptz CHECK (valid_until > listed_at),
  removed_by text,
  removed_at timestamptz,
  CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
CREATE INDEX watchlist_entry_plate ON watchlist_entry (plate_text) WHERE removed_at IS NULL;
CREATE INDEX watchlist_entry_listed ON watchlist_entry (listed_at DESC, id DESC);
COMMENT ON COLUMN watchlist_entry.plate_colour IS 'NULL: whatever the colour.';

CREATE TABLE alert (
  id uuid PRIMARY KEY,
  rule text NOT NULL CHECK (rule ~ '^[a-z][a-z_]{2,39}$'),
  severity text NOT NULL CHECK (severity IN ('high', 'medium', 'low')),
  plate_text text COLLATE "C" NOT NULL CHECK (plate_text ~ '^[A-Z0-9]{1,12}$'),
  plate_colour text NOT NULL CHECK (
    plate_colour IN ('white', 'yellow', 'blue', 'red', 'unknown')
  ),
  vehicle_id uuid REFERENCES vehicle (id),
  watchlist_entry_id uuid REFERENCES watchlist_entry (id),
  legal_basis text NOT NULL,
  facts jsonb NOT NULL CHECK (jsonb_typeof(facts) = 'array'),
  state text NOT NULL CHECK (state IN ('open', 'acknowledged', 'closed')),
  opened_at timestamptz NOT NULL,
  last_sighted_at timestamptz NOT NULL,
  sightings integer NOT NULL DEFAULT 1 CHECK (sightings >= 1),
  passage_id uuid NOT NULL,
  site_id slug NOT NULL,
  camera_id slug NOT NULL,
  version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
  acknowledged_by text,
  acknowledged_at timestamptz,
  closed_by text,
  closed_at timestamptz,
  closing_reason text CHECK (closing_reason ~ '^[a-z][a-z_]{2,39}$'),
  closing_note text CHECK (char_length(closing_note) <= 500),
  dossier_code text,
  CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
  CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
  CHECK ((closed_at IS NULL) = (closing_reason IS NULL)),
  CHECK (vehicle_id IS NOT NULL OR watchlist_entry_id IS NOT NULL),
  FOREIGN KEY (site_id, camera_id) REFERENCES camera (site_id, id)
);
CREATE UNIQUE INDEX alert_one_open_of_vehicle ON alert (rule, vehicle_id)
  WHERE state <> 'closed' AND watchlist_entry_id IS NULL;
CREATE UNIQUE INDEX alert_one_open_of_entry ON alert (rule, watchlist_entry_id)
  WHERE state <> 'closed' AND watchlist_entry_id IS NOT NULL;
CREATE INDEX alert_recent ON alert (state, last_sighted_at DESC, id DESC);
CREATE INDEX alert_vehicle ON alert (vehicle_id, last_sighted_at DESC, id DESC);
COMMENT ON TABLE alert IS
  'One finding about one vehicle or one entry of the watchlist; while it is not closed, further '
  'passages are sightings of it.';
COMMENT ON COLUMN alert.passage_id IS 'The newest sighting; with its camera.';
COMMENT ON COLUMN alert.version IS
  'Rises when somebody acts, not with a sighting: a passing car must not spoil a filled form.';
COMMENT ON COLUMN alert.facts IS
  'What the finding rests on, as it was: name, value, source and date of every fact.';

CREATE TABLE alert_sighting (
  passage_id uuid NOT NULL,
  rule text NOT NULL,
  alert_id uuid REFERENCES alert (id),
  captured_at timestamptz NOT NULL,
  site_id slug NOT NULL,
  camera_id slug NOT NULL,
  is_late boolean NOT NULL,
  judged_at timestamptz NOT NULL,
  facts jsonb NOT NULL CHECK (jsonb_typeof(facts) = 'array'),
  PRIMARY KEY (passage_id, rule),
  CHECK (is_late OR alert_id IS NOT NULL)
);
CREATE INDEX alert_sighting_alert ON alert_sighting (alert_id, captured_at DESC);
CREATE INDEX alert_sighting_late ON alert_sighting (captured_at DESC, passage_id DESC)
  WHERE alert_id IS NULL;
COMMENT ON TABLE alert_sighting IS
  'One passage that fitted one rule: a passage is judged once. A late one raises no alert; it is '
  'added to one that is open, and otherwise stands by itself.';

CREATE TABLE alert_feed (
  position bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  alert_id uuid NOT NULL REFERENCES alert (id),
  changed_at timestamptz NOT NULL
);
CREATE INDEX alert_feed_changed ON alert_feed (changed_at);
COMMENT ON TABLE alert_feed IS
  'Alerts that were raised or changed, for live pages; kept for hours. A position is drawn under '
  'a lock that is held until the commit, so no smaller one can appear later.';
