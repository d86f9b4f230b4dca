-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The registry has no site: who may read it is a permission, and each look is audited.
-- Days bind as %(day)s; valid_until is the first day on which something no longer holds.

-- name: select_facts_for_plates
-- Vehicles that bear one of the plate texts on a day, each with all its plates and the badge that
-- began last; colours are told apart by the caller, since an unknown one fits every colour.
SELECT borne.plate_text AS borne_text, borne.colour AS borne_colour,
       vehicle.id, vehicle.chassis_number, vehicle.engine_number, vehicle.kind, vehicle.brand,
       vehicle.manufactured_in, vehicle.seats, vehicle.payload_kg, vehicle.gross_mass_kg,
       vehicle.container_ft, vehicle.is_public_bus, vehicle.owner_id, vehicle.inspected_until,
       vehicle.inspection_source, vehicle.inspection_as_of, vehicle.source, vehicle.as_of,
       vehicle.plate_texts, vehicle.plate_colours,
       vehicle.plate_valid_froms, vehicle.plate_valid_untils,
       badge.id AS badge_id,
       badge.number AS badge_number, badge.kind AS badge_kind, badge.party_id AS badge_party_id,
       badge.valid_from AS badge_valid_from, badge.valid_until AS badge_valid_until,
       badge.revoked_on AS badge_revoked_on, badge.revocation_reason AS badge_revocation_reason,
       badge.dossier_code AS badge_dossier_code, badge.source AS badge_source,
       badge.as_of AS badge_as_of
  FROM vehicle_plate AS borne
  INNER JOIN vehicle_with_plates AS vehicle ON vehicle.id = borne.vehicle_id
  LEFT JOIN LATERAL (
    SELECT *
      FROM badge AS each
     WHERE each.vehicle_id = vehicle.id
       AND each.valid_from <= %(day)s::date
       AND each.revoked_on IS DISTINCT FROM each.valid_from
     ORDER BY each.valid_from DESC
     LIMIT 1
  ) AS badge ON TRUE
 WHERE borne.plate_text = any(%(plate_texts)s::text[])
   AND borne.valid_from <= %(day)s::date
   AND (borne.valid_until IS NULL OR %(day)s::date < borne.valid_until)
 ORDER BY borne.plate_text, borne.colour
 LIMIT %(rows_max)s;

-- name: select_facts_of_vehicle
-- The same for one vehicle, which may bear no plate on the day.
SELECT borne.plate_text AS borne_text, borne.colour AS borne_colour,
       vehicle.id, vehicle.chassis_number, vehicle.engine_number, vehicle.kind, vehicle.brand,
       vehicle.manufactured_in, vehicle.seats, vehicle.payload_kg, vehicle.gross_mass_kg,
       vehicle.container_ft, vehicle.is_public_bus, vehicle.owner_id, vehicle.inspected_until,
       vehicle.inspection_source, vehicle.inspection_as_of, vehicle.source, vehicle.as_of,
       vehicle.plate_texts, vehicle.plate_colours,
       vehicle.plate_valid_froms, vehicle.plate_valid_untils,
       badge.id AS badge_id,
       badge.number AS badge_number, badge.kind AS badge_kind, badge.party_id AS badge_party_id,
       badge.valid_from AS badge_valid_from, badge.valid_until AS badge_valid_until,
       badge.revoked_on AS badge_revoked_on, badge.revocation_reason AS badge_revocation_reason,
       badge.dossier_code AS badge_dossier_code, badge.source AS badge_source,
       badge.as_of AS badge_as_of
  FROM vehicle_with_plates AS vehicle
  LEFT JOIN vehicle_plate AS borne
    ON borne.vehicle_id = vehicle.id
   AND borne.valid_from <= %(day)s::date
   AND (borne.valid_until IS NULL OR %(day)s::date < borne.valid_until)
  LEFT JOIN LATERAL (
    SELECT *
      FROM badge AS each
     WHERE each.vehicle_id = vehicle.id
       AND each.valid_from <= %(day)s::date
       AND each.revoked_on IS DISTINCT FROM each.valid_from
     ORDER BY each.valid_from DESC
     LIMIT 1
  ) AS badge ON TRUE
 WHERE vehicle.id = %(vehicle_id)s::uuid;

-- name: select_vehicle
-- One vehicle with all its plates.
SELECT id, chassis_number, engine_number, kind, brand,
       manufactured_in, seats, payload_kg, gross_mass_kg,
       container_ft, is_public_bus, owner_id, inspected_until,
       inspection_source, inspection_as_of, source, as_of, plate_texts, plate_colours,
       plate_valid_froms, plate_valid_untils
  FROM vehicle_with_plates
 WHERE id = %(vehicle_id)s::uuid;

-- name: select_vehicle_id
-- The vehicle of a chassis number.
SELECT id
  FROM vehicle
 WHERE chassis_number = %(chassis_number)s::text;

-- name: search_vehicles
-- Vehicles whose chassis number or one of whose plates, now or before, fits a pattern.
WITH fitting AS (
  SELECT id
    FROM vehicle
   WHERE chassis_number LIKE %(pattern)s::text
  UNION
  SELECT vehicle_id
    FROM vehicle_plate
   WHERE plate_text LIKE %(pattern)s::text
)
SELECT vehicle.id, vehicle.chassis_number, vehicle.engine_number, vehicle.kind, vehicle.brand,
       vehicle.manufactured_in, vehicle.seats, vehicle.payload_kg, vehicle.gross_mass_kg,
       vehicle.container_ft, vehicle.is_public_bus, vehicle.owner_id, vehicle.inspected_until,
       vehicle.inspection_source, vehicle.inspection_as_of, vehicle.source, vehicle.as_of,
       vehicle.plate_texts, vehicle.plate_colours,
       vehicle.plate_valid_froms, vehicle.plate_valid_untils
  FROM fitting
  INNER JOIN vehicle_with_plates AS vehicle ON vehicle.id = fitting.id
 ORDER BY vehicle.chassis_number
 LIMIT %(rows_max)s;

-- name: select_party
-- One person or organisation by id, or by the number that identifies it.
SELECT id, kind, name, identity_number, address, phone, email, source, as_of
  FROM party
 WHERE id = %(party_id)s::uuid
    OR identity_number = %(identity_number)s::text;

-- name: select_badges_of_vehicle
-- Badges of a vehicle, newest first.
SELECT id, number, kind, vehicle_id, party_id, valid_from, valid_until, revoked_on,
       revocation_reason, dossier_code, source, as_of
  FROM badge
 WHERE vehicle_id = %(vehicle_id)s::uuid
 ORDER BY valid_from DESC, id DESC
 LIMIT %(rows_max)s;

-- name: select_badge
-- One badge.
SELECT id, number, kind, vehicle_id, party_id, valid_from, valid_until, revoked_on,
       revocation_reason, dossier_code, source, as_of
  FROM badge
 WHERE id = %(badge_id)s::uuid;

-- name: select_conflicting_badge
-- The badge that keeps a new one out: of the same number, or of the same vehicle on some of the
-- same days.
SELECT id, number, kind, vehicle_id, party_id, valid_from, valid_until, revoked_on,
       revocation_reason, dossier_code, source, as_of
  FROM badge
 WHERE number = %(number)s::text
    OR (
      vehicle_id = %(vehicle_id)s::uuid
      AND daterange(valid_from, least(valid_until, revoked_on))
        && daterange(%(valid_from)s::date, %(valid_until)s::date)
    )
 ORDER BY valid_from DESC
 LIMIT 1;

-- name: lock_vehicle
-- Others who give this vehicle a paper wait until the transaction ends. Rows that merely refer to
-- the vehicle can still be added: a judgement that holds what the decision needs next would
-- otherwise wait for the decision, and both for ever.
SELECT id
  FROM vehicle
 WHERE id = %(vehicle_id)s::uuid
   FOR NO KEY UPDATE;

-- name: insert_badge
-- Enter a badge.
INSERT INTO badge
       (id, number, kind, vehicle_id, party_id, valid_from, valid_until, dossier_code, source,
        as_of, created_at)
VALUES (gen_random_uuid(), %(number)s, %(kind)s, %(vehicle_id)s, %(party_id)s, %(valid_from)s,
        %(valid_until)s, %(dossier_code)s, %(source)s, %(as_of)s, %(now)s)
ON CONFLICT (number) DO NOTHING
RETURNING id, number, kind, vehicle_id, party_id, valid_from, valid_until, revoked_on,
          revocation_reason, dossier_code, source, as_of;

-- name: revoke_badge
-- End a badge before its time, once.
UPDATE badge
   SET revoked_on = %(revoked_on)s,
       revocation_reason = %(reason)s
 WHERE id = %(badge_id)s::uuid
   AND revoked_on IS NULL
   AND valid_from <= %(revoked_on)s::date
   AND %(revoked_on)s::date < valid_until
RETURNING id, number, kind, vehicle_id, party_id, valid_from, valid_until, revoked_on,
          revocation_reason, dossier_code, source, as_of;

-- name: select_permits_of_vehicle
-- Permits of a vehicle to cross borders, newest first.
SELECT id, number, kind, vehicle_id, party_id, valid_from, valid_until, trip_days_max,
       is_single_trip, revoked_on, dossier_code, source, as_of
  FROM border_permit
 WHERE vehicle_id = %(vehicle_id)s::uuid
 ORDER BY valid_from DESC, id DESC
 LIMIT %(rows_max)s;

-- name: select_conflicting_permit
-- The permit that keeps a new one out: of the same number, or of the same vehicle and kind on some
-- of the same days.
SELECT id, number, kind, vehicle_id, party_id, valid_from, valid_until, trip_days_max,
       is_single_trip, revoked_on, dossier_code, source, as_of
  FROM border_permit
 WHERE number = %(number)s::text
    OR (
      vehicle_id = %(vehicle_id)s::uuid
      AND kind = %(kind)s::text
      AND daterange(valid_from, least(valid_until, revoked_on))
        && daterange(%(valid_from)s::date, %(valid_until)s::date)
    )
 ORDER BY valid_from DESC
 LIMIT 1;

-- name: insert_permit
-- Enter a permit.
INSERT INTO border_permit
       (id, number, kind, vehicle_id, party_id, valid_from, valid_until, trip_days_max,
        is_single_trip, dossier_code, source, as_of, created_at)
VALUES (gen_random_uuid(), %(number)s, %(kind)s, %(vehicle_id)s, %(party_id)s, %(valid_from)s,
        %(valid_until)s, %(trip_days_max)s, %(is_single_trip)s, %(dossier_code)s, %(source)s,
        %(as_of)s, %(now)s)
ON CONFLICT (number) DO NOTHING
RETURNING id, number, kind, vehicle_id, party_id, valid_from, valid_until, trip_days_max,
          is_single_trip, revoked_on, dossier_code, source, as_of;

-- name: select_transport_licences_of_party
-- Licences of a firm to do transport business, newest first.
SELECT id, number, party_id, valid_from, valid_until, revoked_on, source, as_of
  FROM transport_licence
 WHERE party_id = %(party_id)s::uuid
 ORDER BY valid_from DESC, id DESC
 LIMIT %(rows_max)s;

-- name: select_driving_licence
-- One driving licence by its number, with its classes.
SELECT licence.number, licence.holder_name, licence.born_on, licence.points, licence.state,
       licence.source, licence.as_of, licence.updated_at, classes.names AS class_names,
       classes.valid_froms AS class_valid_froms, classes.valid_untils AS class_valid_untils
  FROM driving_licence AS licence
  CROSS JOIN LATERAL (
    SELECT array_agg(each.class ORDER BY each.class, each.valid_from) AS names,
           array_agg(each.valid_from ORDER BY each.class, each.valid_from) AS valid_froms,
           array_agg(each.valid_until ORDER BY each.class, each.valid_from) AS valid_untils
      FROM driving_licence_class AS each
     WHERE each.number = licence.number
  ) AS classes
 WHERE licence.number = %(number)s::text;
