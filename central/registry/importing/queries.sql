-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Files of facts come from registers that belong to no site. Upserts take the rows of some lines
-- and return for each row that was written whether it is new. An empty cell tells nothing: what is
-- known stays.

-- name: delete_rows
-- Leave bad rows out.
DELETE FROM import_row
 WHERE line = any(%(lines)s::integer[]);

-- name: upsert_parties
-- Take rows into party.
INSERT INTO party
       (id, kind, name, identity_number, address, phone, email, source, as_of, created_at,
        updated_at)
SELECT gen_random_uuid() AS id, new.kind, new.name, new.identity_number, new.address, new.phone,
       new.email, new.source, new.as_of, %(now)s::timestamptz AS created_at, %(now)s AS updated_at
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (kind text, name text, identity_number text, address text, phone text, email text,
           source text, as_of date)
 WHERE row.line BETWEEN %(first_line)s AND %(last_line)s
ON CONFLICT (identity_number) DO UPDATE
   SET kind = excluded.kind,
       name = excluded.name,
       source = excluded.source,
       as_of = excluded.as_of,
       address = coalesce(excluded.address, party.address),
       phone = coalesce(excluded.phone, party.phone),
       email = coalesce(excluded.email, party.email),
       updated_at = excluded.updated_at
 WHERE (party.kind, party.name, party.source, party.as_of, party.address, party.phone,
          party.email)
       IS DISTINCT FROM
       (excluded.kind, excluded.name, excluded.source, excluded.as_of,
          coalesce(excluded.address, party.address), coalesce(excluded.phone, party.phone),
          coalesce(excluded.email, party.email))
RETURNING party.xmax = 0 AS is_new;

-- name: upsert_vehicles
-- Take rows into vehicle.
INSERT INTO vehicle
       (id, chassis_number, engine_number, kind, brand, manufactured_in, seats, payload_kg,
        gross_mass_kg, container_ft, is_public_bus, owner_id, source, as_of, created_at,
        updated_at)
SELECT gen_random_uuid() AS id, new.chassis_number, new.engine_number, new.kind, new.brand,
       new.manufactured_in, new.seats, new.payload_kg, new.gross_mass_kg, new.container_ft,
       coalesce(new.is_public_bus, FALSE) AS is_public_bus, party.id AS owner_id, new.source,
       new.as_of, %(now)s::timestamptz,
       %(now)s
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (chassis_number text, engine_number text, kind text, brand text, manufactured_in
           smallint, seats smallint, payload_kg integer, gross_mass_kg integer, container_ft
           smallint, is_public_bus boolean, owner text, source text, as_of date)
  INNER JOIN party ON party.identity_number = new.owner
 WHERE row.line BETWEEN %(first_line)s AND %(last_line)s
ON CONFLICT (chassis_number) DO UPDATE
   SET kind = excluded.kind,
       is_public_bus = excluded.is_public_bus,
       owner_id = excluded.owner_id,
       source = excluded.source,
       as_of = excluded.as_of,
       engine_number = coalesce(excluded.engine_number, vehicle.engine_number),
       brand = coalesce(excluded.brand, vehicle.brand),
       manufactured_in = coalesce(excluded.manufactured_in, vehicle.manufactured_in),
       seats = coalesce(excluded.seats, vehicle.seats),
       payload_kg = coalesce(excluded.payload_kg, vehicle.payload_kg),
       gross_mass_kg = coalesce(excluded.gross_mass_kg, vehicle.gross_mass_kg),
       container_ft = coalesce(excluded.container_ft, vehicle.container_ft),
       updated_at = excluded.updated_at
 WHERE (vehicle.kind, vehicle.is_public_bus, vehicle.owner_id, vehicle.source,
          vehicle.as_of, vehicle.engine_number, vehicle.brand, vehicle.manufactured_in,
          vehicle.seats, vehicle.payload_kg, vehicle.gross_mass_kg, vehicle.container_ft)
       IS DISTINCT FROM
       (excluded.kind, excluded.is_public_bus, excluded.owner_id, excluded.source,
          excluded.as_of, coalesce(excluded.engine_number, vehicle.engine_number),
          coalesce(excluded.brand, vehicle.brand), coalesce(excluded.manufactured_in,
          vehicle.manufactured_in), coalesce(excluded.seats, vehicle.seats),
          coalesce(excluded.payload_kg, vehicle.payload_kg),
          coalesce(excluded.gross_mass_kg, vehicle.gross_mass_kg),
          coalesce(excluded.container_ft, vehicle.container_ft))
RETURNING vehicle.xmax = 0 AS is_new;

-- name: upsert_plates
-- Take rows into vehicle_plate.
INSERT INTO vehicle_plate
       (vehicle_id, plate_text, colour, valid_from, valid_until)
SELECT vehicle.id, new.plate, new.colour, new.valid_from, new.valid_until
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (chassis_number text, plate text, colour text, valid_from date, valid_until date)
  INNER JOIN vehicle ON vehicle.chassis_number = new.chassis_number
 WHERE row.line BETWEEN %(first_line)s AND %(last_line)s
ON CONFLICT (vehicle_id, valid_from) DO UPDATE
   SET plate_text = excluded.plate_text,
       colour = excluded.colour,
       valid_until = coalesce(excluded.valid_until, vehicle_plate.valid_until)
 WHERE (vehicle_plate.plate_text, vehicle_plate.colour, vehicle_plate.valid_until)
       IS DISTINCT FROM
       (excluded.plate_text, excluded.colour, coalesce(excluded.valid_until,
          vehicle_plate.valid_until))
RETURNING vehicle_plate.xmax = 0 AS is_new;

-- name: upsert_badges
-- Take rows into badge.
INSERT INTO badge
       (id, number, kind, vehicle_id, party_id, valid_from, valid_until, revoked_on,
        revocation_reason, source, as_of, created_at)
SELECT gen_random_uuid() AS id, new.number, new.kind, vehicle.id AS vehicle_id,
       party.id AS party_id, new.valid_from,
       new.valid_until, new.revoked_on, new.revocation_reason, new.source, new.as_of,
       %(now)s::timestamptz AS created_at
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (number text, kind text, chassis_number text, holder text, valid_from date,
           valid_until date, revoked_on date, revocation_reason text, source text, as_of
           date)
  INNER JOIN vehicle ON vehicle.chassis_number = new.chassis_number
  INNER JOIN party ON party.identity_number = new.holder
 WHERE row.line BETWEEN %(first_line)s AND %(last_line)s
ON CONFLICT (number) DO UPDATE
   SET kind = excluded.kind,
       party_id = excluded.party_id,
       valid_from = excluded.valid_from,
       valid_until = excluded.valid_until,
       source = excluded.source,
       as_of = excluded.as_of,
       revoked_on = coalesce(excluded.revoked_on, badge.revoked_on),
       revocation_reason = coalesce(excluded.revocation_reason, badge.revocation_reason)
 WHERE (badge.kind, badge.party_id, badge.valid_from, badge.valid_until, badge.source,
          badge.as_of, badge.revoked_on, badge.revocation_reason)
       IS DISTINCT FROM
       (excluded.kind, excluded.party_id, excluded.valid_from, excluded.valid_until,
          excluded.source, excluded.as_of, coalesce(excluded.revoked_on, badge.revoked_on),
          coalesce(excluded.revocation_reason, badge.revocation_reason))
RETURNING badge.xmax = 0 AS is_new;

-- name: upsert_permits
-- Take rows into border_permit.
INSERT INTO border_permit
       (id, number, kind, vehicle_id, party_id, valid_from, valid_until, trip_days_max,
        is_single_trip, revoked_on, source, as_of, created_at)
SELECT gen_random_uuid() AS id, new.number, new.kind, vehicle.id AS vehicle_id,
       party.id AS party_id, new.valid_from,
       new.valid_until, new.trip_days_max, coalesce(new.is_single_trip, FALSE) AS is_single_trip,
       new.revoked_on, new.source, new.as_of, %(now)s::timestamptz AS created_at
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (number text, kind text, chassis_number text, holder text, valid_from date,
           valid_until date, trip_days_max smallint, is_single_trip boolean, revoked_on
           date, source text, as_of date)
  INNER JOIN vehicle ON vehicle.chassis_number = new.chassis_number
  LEFT JOIN party ON party.identity_number = new.holder
 WHERE row.line BETWEEN %(first_line)s AND %(last_line)s
ON CONFLICT (number) DO UPDATE
   SET kind = excluded.kind,
       valid_from = excluded.valid_from,
       valid_until = excluded.valid_until,
       is_single_trip = excluded.is_single_trip,
       source = excluded.source,
       as_of = excluded.as_of,
       party_id = coalesce(excluded.party_id, border_permit.party_id),
       trip_days_max = coalesce(excluded.trip_days_max, border_permit.trip_days_max),
       revoked_on = coalesce(excluded.revoked_on, border_permit.revoked_on)
 WHERE (border_permit.kind, border_permit.valid_from, border_permit.valid_until,
          border_permit.is_single_trip, border_permit.source, border_permit.as_of,
          border_permit.party_id, border_permit.trip_days_max, border_permit.revoked_on)
       IS DISTINCT FROM
       (excluded.kind, excluded.valid_from, excluded.valid_until, excluded.is_single_trip,
          excluded.source, excluded.as_of, coalesce(excluded.party_id,
          border_permit.party_id), coalesce(excluded.trip_days_max,
          border_permit.trip_days_max), coalesce(excluded.revoked_on,
          border_permit.revoked_on))
RETURNING border_permit.xmax = 0 AS is_new;

-- name: upsert_transport_licences
-- Take rows into transport_licence.
INSERT INTO transport_licence
       (id, number, party_id, valid_from, valid_until, revoked_on, source, as_of, created_at)
SELECT gen_random_uuid() AS id, new.number, party.id AS party_id, new.valid_from, new.valid_until,
       new.revoked_on, new.source, new.as_of, %(now)s::timestamptz AS created_at
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (number text, holder text, valid_from date, valid_until date, revoked_on date,
           source text, as_of date)
  INNER JOIN party ON party.identity_number = new.holder
 WHERE row.line BETWEEN %(first_line)s AND %(last_line)s
ON CONFLICT (number) DO UPDATE
   SET party_id = excluded.party_id,
       valid_from = excluded.valid_from,
       source = excluded.source,
       as_of = excluded.as_of,
       valid_until = coalesce(excluded.valid_until, transport_licence.valid_until),
       revoked_on = coalesce(excluded.revoked_on, transport_licence.revoked_on)
 WHERE (transport_licence.party_id, transport_licence.valid_from,
          transport_licence.source, transport_licence.as_of, transport_licence.valid_until,
          transport_licence.revoked_on)
       IS DISTINCT FROM
       (excluded.party_id, excluded.valid_from, excluded.source, excluded.as_of,
          coalesce(excluded.valid_until, transport_licence.valid_until),
          coalesce(excluded.revoked_on, transport_licence.revoked_on))
RETURNING transport_licence.xmax = 0 AS is_new;

-- name: compare_driving_licences
-- What becomes of each row: a row stands for one class of one licence.
SELECT count(*) FILTER (WHERE class.number IS NULL) AS created,
       count(*) FILTER (
         WHERE class.number IS NOT NULL
           AND (class.valid_until, licence.holder_name, licence.born_on, licence.points,
                licence.state, licence.source, licence.as_of)
               IS DISTINCT FROM
               (coalesce(new.valid_until, class.valid_until), new.holder_name, new.born_on,
                coalesce(new.points, licence.points), new.state, new.source, new.as_of)
       ) AS changed,
       count(*) AS total
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (number text, holder_name text, born_on date, points smallint, state text,
            class text, valid_from date, valid_until date, source text, as_of date)
  LEFT JOIN driving_licence AS licence ON licence.number = new.number
  LEFT JOIN driving_licence_class AS class
    ON class.number = new.number
   AND class.class = new.class
   AND class.valid_from = new.valid_from;

-- name: upsert_driving_licences
-- Take licences in; rows of one licence agree, so any of them will do.
INSERT INTO driving_licence
       (number, holder_name, born_on, points, state, source, as_of, created_at, updated_at)
SELECT DISTINCT ON (new.number) new.number, new.holder_name, new.born_on, new.points, new.state,
       new.source, new.as_of, %(now)s::timestamptz AS created_at, %(now)s AS updated_at
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (number text, holder_name text, born_on date, points smallint, state text,
            source text, as_of date)
 WHERE row.line BETWEEN %(first_line)s AND %(last_line)s
 ORDER BY new.number ASC, row.line ASC
ON CONFLICT (number) DO UPDATE
   SET holder_name = excluded.holder_name,
       born_on = excluded.born_on,
       points = coalesce(excluded.points, driving_licence.points),
       state = excluded.state,
       source = excluded.source,
       as_of = excluded.as_of,
       updated_at = excluded.updated_at;

-- name: upsert_driving_licence_classes
-- Take the classes of licences in.
INSERT INTO driving_licence_class (number, class, valid_from, valid_until)
SELECT new.number, new.class, new.valid_from, new.valid_until
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (number text, class text, valid_from date, valid_until date)
 WHERE row.line BETWEEN %(first_line)s AND %(last_line)s
ON CONFLICT (number, class, valid_from) DO UPDATE
   SET valid_until = coalesce(excluded.valid_until, driving_licence_class.valid_until);

-- name: upsert_inspections
-- Take inspection dates into vehicles, which must be there.
UPDATE vehicle
   SET inspected_until = new.inspected_until,
       inspection_source = new.source,
       inspection_as_of = new.as_of,
       updated_at = %(now)s
  FROM import_row AS row
  CROSS JOIN LATERAL jsonb_to_record(row.data)
    AS new (chassis_number text, inspected_until date, source text, as_of date)
 WHERE vehicle.chassis_number = new.chassis_number
   AND row.line BETWEEN %(first_line)s AND %(last_line)s
   AND (vehicle.inspected_until, vehicle.inspection_source, vehicle.inspection_as_of)
       IS DISTINCT FROM
       (new.inspected_until, new.source, new.as_of)
RETURNING FALSE AS is_new;

-- name: insert_import
-- Write down that a file was taken in.
INSERT INTO registry_import
       (id, kind, file_name, file_sha256, rows_read, rows_created, rows_changed, rows_unchanged,
        imported_by, imported_at)
VALUES (gen_random_uuid(), %(kind)s, %(file_name)s, %(file_sha256)s, %(rows_read)s,
        %(rows_created)s, %(rows_changed)s, %(rows_unchanged)s, %(imported_by)s, %(now)s)
RETURNING id;
