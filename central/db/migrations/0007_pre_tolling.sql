-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Electronic toll: tag reads, stations and lanes, tariffs, tags and accounts, crossings, days.

CREATE TABLE tag_read (
  captured_at timestamptz NOT NULL,
  id uuid NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  device_id slug NOT NULL REFERENCES device (id),
  stream_id bigint NOT NULL,
  seq bigint NOT NULL CHECK (seq >= 1),
  boot_id uuid NOT NULL,
  site_id slug NOT NULL,
  reader_id slug NOT NULL,
  lane smallint CHECK (lane BETWEEN 1 AND 64),
  epc text COLLATE "C" NOT NULL CHECK (epc ~ '^[0-9A-F]{8,64}$'),
  tid text COLLATE "C" CHECK (tid ~ '^[0-9A-F]{8,64}$'),
  antenna smallint NOT NULL CHECK (antenna BETWEEN 1 AND 64),
  rssi_dbm real CHECK (rssi_dbm BETWEEN -200 AND 50),
  reads integer NOT NULL CHECK (reads >= 1),
  first_seen_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  clock_source text NOT NULL CHECK (clock_source IN ('ntp', 'ptp', 'gps', 'system', 'file')),
  clock_error_ms integer NOT NULL CHECK (clock_error_ms >= 0),
  is_late boolean NOT NULL,
  PRIMARY KEY (captured_at, id),
  CHECK (first_seen_at <= captured_at AND captured_at <= last_seen_at)
);
COMMENT ON TABLE tag_read IS 'One tag that one reader saw pass once; its id is claimed like a passage''s.';
SELECT create_hypertable(
  'tag_read', by_range('captured_at', INTERVAL '7 days'), create_default_indexes => false
);
CREATE INDEX tag_read_reader ON tag_read (site_id, reader_id, captured_at DESC);
CREATE INDEX tag_read_epc ON tag_read (epc, captured_at DESC);

COMMENT ON TABLE passage_identity IS
  'Guard of "stored once" for every event, passages and tag reads: a hypertable''s own unique keys '
  'must contain the time, so the same event under another time would pass them. Also finds a '
  'passage''s time by its id.';

CREATE TABLE toll_station (
  id slug PRIMARY KEY,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  site_id slug NOT NULL REFERENCES site (id),
  kind text NOT NULL CHECK (kind IN ('open', 'closed')),
  is_expressway boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL
);

CREATE TABLE toll_lane (
  station_id slug NOT NULL REFERENCES toll_station (id),
  number smallint NOT NULL CHECK (number BETWEEN 1 AND 64),
  kind text NOT NULL CHECK (kind IN ('open', 'entry', 'exit')),
  site_id slug NOT NULL,
  camera_id slug NOT NULL,
  reader_id slug NOT NULL,
  in_use_since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (station_id, number),
  UNIQUE (site_id, camera_id),
  UNIQUE (site_id, reader_id),
  FOREIGN KEY (site_id, camera_id) REFERENCES camera (site_id, id)
);
COMMENT ON TABLE toll_lane IS 'One lane has one camera that reads plates and one reader of tags.';
COMMENT ON COLUMN toll_lane.in_use_since IS
  'Since when these camera and reader are the lane''s: what they stored before is no crossing.';

CREATE TABLE toll_tariff (
  id uuid PRIMARY KEY,
  station_id slug NOT NULL REFERENCES toll_station (id),
  vehicle_group smallint NOT NULL CHECK (vehicle_group BETWEEN 1 AND 5),
  price_dong bigint NOT NULL CHECK (price_dong BETWEEN 0 AND 100000000),
  valid_from date NOT NULL,
  valid_until date CHECK (valid_until > valid_from),
  legal_reference text NOT NULL CHECK (char_length(legal_reference) BETWEEN 1 AND 300),
  confidence text NOT NULL CHECK (confidence IN ('high', 'medium', 'low', 'example')),
  CONSTRAINT toll_tariff_one_price EXCLUDE USING gist (
    station_id WITH =, vehicle_group WITH =, daterange(valid_from, valid_until) WITH &&
  )
);
COMMENT ON COLUMN toll_tariff.price_dong IS 'Price of one passage, VAT included.';

CREATE TABLE toll_account (
  number text COLLATE "C" PRIMARY KEY CHECK (number ~ '^[A-Z0-9-]{4,40}$'),
  provider text NOT NULL CHECK (provider ~ '^[a-z0-9-]{2,40}$'),
  holder_id uuid NOT NULL REFERENCES party (id),
  state text NOT NULL CHECK (state IN ('open', 'locked', 'closed')),
  is_priority boolean NOT NULL DEFAULT false,
  opened_on date NOT NULL,
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE toll_account IS
  'Traffic account (tài khoản giao thông, NĐ 119/2024/NĐ-CP Art. 11); its money is in the ledger.';
COMMENT ON COLUMN toll_account.is_priority IS 'Exempt vehicle (Art. 18): nothing is charged.';

CREATE TABLE toll_tag (
  id uuid PRIMARY KEY,
  epc text COLLATE "C" NOT NULL CHECK (epc ~ '^[0-9A-F]{8,64}$'),
  account_number text COLLATE "C" NOT NULL REFERENCES toll_account (number),
  vehicle_id uuid NOT NULL REFERENCES vehicle (id),
  valid_from timestamptz NOT NULL,
  valid_until timestamptz CHECK (valid_until > valid_from),
  UNIQUE (epc, account_number, valid_from)
);
CREATE INDEX toll_tag_vehicle ON toll_tag (vehicle_id);
COMMENT ON TABLE toll_tag IS
  'Which tag pays from which account for which vehicle. The providers'' data may put one tag on '
  'two accounts: nothing is charged then, and a person decides.';

CREATE TABLE toll_crossing (
  id uuid PRIMARY KEY,
  station_id slug NOT NULL,
  lane_number smallint NOT NULL,
  crossed_at timestamptz NOT NULL,
  booked_on date NOT NULL,
  passage_id uuid UNIQUE,
  tag_read_id uuid UNIQUE,
  state text NOT NULL CHECK (
    state IN ('waiting', 'charged', 'exempt', 'refused', 'review', 'waived')
  ),
  reason text CHECK (reason ~ '^[a-z][a-z_]{2,39}$'),
  plate_text text COLLATE "C" CHECK (plate_text ~ '^[A-Z0-9]{0,12}$'),
  plate_colour text,
  class_seen text,
  epc text COLLATE "C",
  vehicle_id uuid REFERENCES vehicle (id),
  account_number text COLLATE "C" REFERENCES toll_account (number),
  vehicle_group smallint CHECK (vehicle_group BETWEEN 1 AND 5),
  tariff_id uuid REFERENCES toll_tariff (id),
  amount_dong bigint CHECK (amount_dong >= 0),
  ledger_entry_id bigint UNIQUE REFERENCES ledger_entry (id),
  refund_entry_id bigint UNIQUE REFERENCES ledger_entry (id),
  facts jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(facts) = 'array'),
  is_late boolean NOT NULL,
  version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
  created_at timestamptz NOT NULL,
  decided_at timestamptz,
  decided_by text,
  FOREIGN KEY (station_id, lane_number) REFERENCES toll_lane (station_id, number),
  CHECK (num_nonnulls(passage_id, tag_read_id) >= 1),
  CHECK ((state = 'charged') = (ledger_entry_id IS NOT NULL)),
  CHECK (refund_entry_id IS NULL OR ledger_entry_id IS NOT NULL),
  CHECK (state NOT IN ('refused', 'review', 'waived') OR reason IS NOT NULL)
);
CREATE INDEX toll_crossing_day ON toll_crossing (station_id, booked_on, crossed_at DESC);
CREATE INDEX toll_crossing_recent ON toll_crossing (crossed_at DESC, id DESC);
CREATE INDEX toll_crossing_vehicle ON toll_crossing (vehicle_id, crossed_at DESC);
CREATE INDEX toll_crossing_open ON toll_crossing (state, crossed_at)
  WHERE state IN ('waiting', 'review');
COMMENT ON TABLE toll_crossing IS
  'One vehicle through one toll lane once: the passage and the tag read that belong together, and '
  'what was charged. Its id is made from the event that came first.';
COMMENT ON COLUMN toll_crossing.refund_entry_id IS
  'Entry that gave the whole charge back. The crossing stays charged: its day was closed so.';

CREATE TABLE toll_crossing_event (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  crossing_id uuid NOT NULL REFERENCES toll_crossing (id),
  occurred_at timestamptz NOT NULL,
  state text NOT NULL,
  reason text,
  actor text NOT NULL,
  note text NOT NULL DEFAULT '' CHECK (char_length(note) <= 500)
);
CREATE INDEX toll_crossing_event_crossing ON toll_crossing_event (crossing_id, id);
REVOKE UPDATE, DELETE, TRUNCATE ON toll_crossing_event FROM luuthong_app;

-- What must always be true between crossings and ledger; each view is empty when it is.
CREATE VIEW toll_crossing_without_entry AS
SELECT crossing.id AS crossing_id, crossing.station_id, crossing.booked_on
  FROM toll_crossing AS crossing
 WHERE crossing.state = 'charged'
   AND NOT EXISTS (
     SELECT
       FROM ledger_entry AS entry
       INNER JOIN ledger_posting AS taken ON taken.entry_id = entry.id
       INNER JOIN ledger_account AS payer ON payer.id = taken.account_id
       INNER JOIN ledger_posting AS received ON received.entry_id = entry.id
       INNER JOIN ledger_account AS revenue ON revenue.id = received.account_id
      WHERE entry.id = crossing.ledger_entry_id
        AND entry.idempotency_key = 'toll:' || crossing.id
        AND entry.kind = 'toll_charge'
        AND entry.booked_on = crossing.booked_on
        AND payer.kind = 'traffic_account'
        AND payer.reference = crossing.account_number
        AND taken.amount_dong = -crossing.amount_dong
        AND revenue.kind = 'station_revenue'
        AND revenue.reference = crossing.station_id
        AND received.amount_dong = crossing.amount_dong
   );
COMMENT ON VIEW toll_crossing_without_entry IS
  'Charged crossings whose ledger entry does not say the same.';

CREATE VIEW toll_refund_without_entry AS
SELECT crossing.id AS crossing_id, crossing.station_id, crossing.booked_on
  FROM toll_crossing AS crossing
 WHERE crossing.refund_entry_id IS NOT NULL
   AND NOT EXISTS (
     SELECT
       FROM ledger_entry AS entry
       INNER JOIN ledger_posting AS given ON given.entry_id = entry.id
       INNER JOIN ledger_account AS payer ON payer.id = given.account_id
      WHERE entry.id = crossing.refund_entry_id
        AND entry.idempotency_key = 'toll-refund:' || crossing.id
        AND entry.kind = 'refund'
        AND entry.corrects_id = crossing.ledger_entry_id
        AND payer.kind = 'traffic_account'
        AND payer.reference = crossing.account_number
        AND given.amount_dong = crossing.amount_dong
   );
COMMENT ON VIEW toll_refund_without_entry IS
  'Refunded crossings whose ledger entry does not give the whole charge back.';

CREATE VIEW toll_entry_without_crossing AS
SELECT entry.id AS entry_id, entry.booked_on, revenue.reference AS station_id
  FROM ledger_entry AS entry
  LEFT JOIN ledger_posting AS received ON received.entry_id = entry.id AND received.amount_dong > 0
  LEFT JOIN ledger_account AS revenue ON revenue.id = received.account_id
 WHERE entry.kind = 'toll_charge'
   AND NOT EXISTS (
     SELECT
       FROM toll_crossing AS crossing
      WHERE crossing.ledger_entry_id = entry.id
        AND crossing.state = 'charged'
   );
COMMENT ON VIEW toll_entry_without_crossing IS
  'Toll charges in the ledger that no charged crossing points at.';

-- Closing a day --------------------------------------------------------------------------------

CREATE TABLE toll_provider_file (
  id uuid PRIMARY KEY,
  provider text NOT NULL,
  station_id slug NOT NULL REFERENCES toll_station (id),
  booked_on date NOT NULL,
  file_name text NOT NULL CHECK (char_length(file_name) BETWEEN 1 AND 255),
  file_sha256 sha256_digest NOT NULL,
  rows_read integer NOT NULL CHECK (rows_read >= 0),
  received_at timestamptz NOT NULL,
  UNIQUE (provider, station_id, booked_on, file_sha256)
);
COMMENT ON TABLE toll_provider_file IS 'What a payment provider says it debited on a day.';

CREATE TABLE toll_provider_row (
  file_id uuid NOT NULL REFERENCES toll_provider_file (id),
  line integer NOT NULL CHECK (line >= 1),
  crossing_id uuid NOT NULL,
  account_number text COLLATE "C" NOT NULL,
  debited_at timestamptz NOT NULL,
  amount_dong bigint NOT NULL CHECK (amount_dong >= 0),
  PRIMARY KEY (file_id, line)
);

CREATE TABLE toll_day (
  id uuid PRIMARY KEY,
  station_id slug NOT NULL REFERENCES toll_station (id),
  booked_on date NOT NULL,
  revision integer NOT NULL CHECK (revision >= 1),
  closed_at timestamptz NOT NULL,
  closed_by text NOT NULL,
  crossings integer NOT NULL CHECK (crossings >= 0),
  charged integer NOT NULL CHECK (charged >= 0),
  charged_dong bigint NOT NULL CHECK (charged_dong >= 0),
  ledger_dong bigint NOT NULL,
  summary jsonb NOT NULL CHECK (jsonb_typeof(summary) = 'object'),
  contents_sha256 sha256_digest NOT NULL,
  UNIQUE (station_id, booked_on, revision)
);
CREATE INDEX toll_day_newest ON toll_day (booked_on DESC, station_id, revision DESC);
COMMENT ON COLUMN toll_day.contents_sha256 IS
  'SHA-256 over every crossing and file that the day was closed with: the same again makes no '
  'new revision.';
COMMENT ON TABLE toll_day IS
  'A closed day (00:00 to 24:00 in Vietnam, NĐ 119/2024/NĐ-CP Art. 16). Late data make a new '
  'revision; earlier ones stay.';

CREATE TABLE toll_day_file (
  day_id uuid NOT NULL REFERENCES toll_day (id),
  file_id uuid NOT NULL REFERENCES toll_provider_file (id),
  PRIMARY KEY (day_id, file_id)
);
COMMENT ON TABLE toll_day_file IS 'What a day was compared with: the newest file of each provider.';

CREATE TABLE toll_difference (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  day_id uuid NOT NULL REFERENCES toll_day (id),
  provider text NOT NULL,
  kind text NOT NULL CHECK (
    kind IN (
      'missing_at_provider', 'missing_here', 'amount_differs', 'account_differs', 'doubled'
    )
  ),
  crossing_id uuid NOT NULL,
  our_amount_dong bigint,
  their_amount_dong bigint,
  provider_line integer
);
CREATE INDEX toll_difference_day ON toll_difference (day_id, id);
REVOKE UPDATE, DELETE, TRUNCATE ON toll_provider_file, toll_provider_row, toll_day,
toll_day_file, toll_difference FROM luuthong_app;
