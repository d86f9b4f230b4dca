-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Who owns which vehicle, under which plate, with which papers. Facts carry their source and the
-- date on which they were true, so that a decision can say how old its facts were.

CREATE TABLE party (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('person', 'organisation')),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  identity_number text COLLATE "C" NOT NULL UNIQUE CHECK (identity_number ~ '^[0-9-]{8,14}$'),
  address text CHECK (char_length(address) <= 500),
  phone text CHECK (phone ~ '^\+?[0-9 ]{8,16}$'),
  email text CHECK (char_length(email) <= 254),
  source text NOT NULL,
  as_of date NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
COMMENT ON COLUMN party.identity_number IS
  'Personal identity number (12 digits) of a person, tax code (10 digits, -branch) of a firm.';

CREATE TABLE vehicle (
  id uuid PRIMARY KEY,
  chassis_number text COLLATE "C" NOT NULL UNIQUE CHECK (chassis_number ~ '^[A-Z0-9]{5,25}$'),
  engine_number text COLLATE "C" CHECK (engine_number ~ '^[A-Z0-9*-]{3,25}$'),
  kind text NOT NULL CHECK (
    kind IN (
      'car', 'bus', 'truck', 'tractor', 'trailer', 'motorcycle', 'four_wheeler',
      'special_machine'
    )
  ),
  brand text CHECK (char_length(brand) <= 100),
  manufactured_in smallint CHECK (manufactured_in BETWEEN 1900 AND 2200),
  seats smallint CHECK (seats BETWEEN 0 AND 200),
  payload_kg integer CHECK (payload_kg BETWEEN 0 AND 500000),
  gross_mass_kg integer CHECK (gross_mass_kg BETWEEN 0 AND 600000),
  container_ft smallint CHECK (container_ft IN (20, 40)),
  is_public_bus boolean NOT NULL DEFAULT FALSE,
  owner_id uuid NOT NULL REFERENCES party (id),
  inspected_until date,
  inspection_source text,
  inspection_as_of date,
  source text NOT NULL,
  as_of date NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((inspection_source IS NULL) = (inspection_as_of IS NULL))
);
CREATE INDEX vehicle_owner ON vehicle (owner_id);
CREATE INDEX vehicle_chassis_trigrams ON vehicle USING gin (chassis_number gin_trgm_ops);
COMMENT ON TABLE vehicle IS
  'Keyed by the chassis number: a plate may move to another car of its owner '
  '(Law 36/2024/QH15 Art. 36.3).';
COMMENT ON COLUMN vehicle.inspection_source IS
  'Where inspected_until comes from; NULL where it came with the rest of the row.';
COMMENT ON COLUMN vehicle.seats IS 'Seats with the driver''s; NULL where not known.';
COMMENT ON COLUMN vehicle.inspected_until IS
  'Last day of the inspection certificate; NULL means not known, never "expired".';

CREATE TABLE vehicle_plate (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  vehicle_id uuid NOT NULL REFERENCES vehicle (id),
  plate_text text COLLATE "C" NOT NULL CHECK (plate_text ~ '^[A-Z0-9]{4,12}$'),
  colour text NOT NULL CHECK (colour IN ('white', 'yellow', 'blue', 'red')),
  valid_from date NOT NULL,
  valid_until date CHECK (valid_until > valid_from),
  CONSTRAINT vehicle_plate_one_vehicle EXCLUDE USING gist (
    plate_text WITH =, colour WITH =, daterange(valid_from, valid_until) WITH &&
  ) DEFERRABLE,
  CONSTRAINT vehicle_plate_one_plate EXCLUDE USING gist (
    vehicle_id WITH =, daterange(valid_from, valid_until) WITH &&
  ) DEFERRABLE
);
CREATE INDEX vehicle_plate_text ON vehicle_plate (plate_text, colour);
CREATE UNIQUE INDEX vehicle_plate_vehicle ON vehicle_plate (vehicle_id, valid_from);
CREATE INDEX vehicle_plate_trigrams ON vehicle_plate USING gin (plate_text gin_trgm_ops);
COMMENT ON TABLE vehicle_plate IS
  'Which plate a vehicle bore when; valid_until is the first day on which it no longer did. '
  'White and yellow plates may bear the same text, so the colour is part of the key.';

CREATE VIEW vehicle_with_plates AS
SELECT vehicle.id, vehicle.chassis_number, vehicle.engine_number, vehicle.kind, vehicle.brand,
       vehicle.manufactured_in, vehicle.seats, vehicle.payload_kg, vehicle.gross_mass_kg,
       vehicle.container_ft, vehicle.is_public_bus, vehicle.owner_id, vehicle.inspected_until,
       vehicle.inspection_source, vehicle.inspection_as_of,
       vehicle.source, vehicle.as_of, plates.texts AS plate_texts,
       plates.colours AS plate_colours, plates.valid_froms AS plate_valid_froms,
       plates.valid_untils AS plate_valid_untils
  FROM vehicle
  CROSS JOIN LATERAL (
    SELECT array_agg(each.plate_text ORDER BY each.valid_from) AS texts,
           array_agg(each.colour ORDER BY each.valid_from) AS colours,
           array_agg(each.valid_from ORDER BY each.valid_from) AS valid_froms,
           array_agg(each.valid_until ORDER BY each.valid_from) AS valid_untils
      FROM vehicle_plate AS each
     WHERE each.vehicle_id = vehicle.id
  ) AS plates;
COMMENT ON VIEW vehicle_with_plates IS
  'A vehicle with every plate that it ever bore, oldest first; the arrays are NULL where it has '
  'none.';

CREATE TABLE transport_licence (
  id uuid PRIMARY KEY,
  number text NOT NULL UNIQUE CHECK (char_length(number) BETWEEN 1 AND 60),
  party_id uuid NOT NULL REFERENCES party (id),
  valid_from date NOT NULL,
  valid_until date CHECK (valid_until > valid_from),
  revoked_on date,
  source text NOT NULL,
  as_of date NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX transport_licence_party ON transport_licence (party_id);

CREATE TABLE badge (
  id uuid PRIMARY KEY,
  number text NOT NULL UNIQUE CHECK (char_length(number) BETWEEN 1 AND 60),
  kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{2,39}$'),
  vehicle_id uuid NOT NULL REFERENCES vehicle (id),
  party_id uuid NOT NULL REFERENCES party (id),
  valid_from date NOT NULL,
  valid_until date NOT NULL CHECK (valid_until > valid_from),
  revoked_on date CHECK (revoked_on >= valid_from),
  revocation_reason text,
  dossier_code text,
  source text NOT NULL,
  as_of date NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK ((revoked_on IS NULL) = (revocation_reason IS NULL)),
  CONSTRAINT badge_one_per_vehicle EXCLUDE USING gist (
    vehicle_id WITH =, daterange(valid_from, least(valid_until, revoked_on)) WITH &&
  ) DEFERRABLE
);
CREATE INDEX badge_vehicle ON badge (vehicle_id, valid_from);
COMMENT ON TABLE badge IS
  'Badges (phù hiệu) of transport vehicles; one kind per vehicle at a time '
  '(NĐ 158/2024/NĐ-CP Art. 23.2). valid_until is the first day on which it no longer is valid.';

CREATE TABLE border_permit (
  id uuid PRIMARY KEY,
  number text NOT NULL UNIQUE CHECK (char_length(number) BETWEEN 1 AND 60),
  kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{2,39}$'),
  vehicle_id uuid NOT NULL REFERENCES vehicle (id),
  party_id uuid REFERENCES party (id),
  valid_from date NOT NULL,
  valid_until date NOT NULL CHECK (valid_until > valid_from),
  trip_days_max smallint CHECK (trip_days_max BETWEEN 1 AND 366),
  is_single_trip boolean NOT NULL DEFAULT FALSE,
  revoked_on date CHECK (revoked_on >= valid_from),
  dossier_code text,
  source text NOT NULL,
  as_of date NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX border_permit_vehicle ON border_permit (vehicle_id);

CREATE TABLE driving_licence (
  number text COLLATE "C" PRIMARY KEY CHECK (number ~ '^[0-9]{12}$'),
  holder_name text NOT NULL CHECK (char_length(holder_name) BETWEEN 1 AND 200),
  born_on date NOT NULL,
  points smallint CHECK (points BETWEEN 0 AND 12),
  state text NOT NULL CHECK (state IN ('valid', 'suspended', 'revoked')),
  source text NOT NULL,
  as_of date NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE TABLE driving_licence_class (
  number text COLLATE "C" NOT NULL REFERENCES driving_licence (number) ON DELETE CASCADE,
  class text NOT NULL CHECK (class ~ '^[A-F][A-Z0-9]{0,2}$'),
  valid_from date NOT NULL,
  valid_until date CHECK (valid_until > valid_from),
  PRIMARY KEY (number, class, valid_from)
);
COMMENT ON COLUMN driving_licence_class.valid_until IS
  'First day on which it is no longer valid; NULL for classes without a term.';

CREATE TABLE registry_import (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{2,39}$'),
  file_name text NOT NULL CHECK (char_length(file_name) BETWEEN 1 AND 255),
  file_sha256 sha256_digest NOT NULL,
  rows_read integer NOT NULL CHECK (rows_read >= 0),
  rows_created integer NOT NULL CHECK (rows_created >= 0),
  rows_changed integer NOT NULL CHECK (rows_changed >= 0),
  rows_unchanged integer NOT NULL CHECK (rows_unchanged >= 0),
  imported_by text NOT NULL,
  imported_at timestamptz NOT NULL
);
COMMENT ON TABLE registry_import IS 'Every file that was taken into the registry, as a whole.';
