-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What is wrong with the rows of a file as a whole, as line, column, fault and detail.

-- name: check_parties
-- Rows that point to nobody, in a column that names a person or organisation.
SELECT row.line, %(in_column)s::text AS column_name, 'owner_unknown' AS fault, '' AS detail
  FROM import_row AS row
 WHERE row.data ->> %(in_column)s::text IS NOT NULL
   AND NOT EXISTS (
         SELECT 1
           FROM party
          WHERE party.identity_number = row.data ->> %(in_column)s::text
       )
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_vehicles
-- Rows that point to no vehicle.
SELECT row.line, 'chassis_number' AS column_name, 'vehicle_unknown' AS fault, '' AS detail
  FROM import_row AS row
 WHERE NOT EXISTS (
         SELECT 1
           FROM vehicle
          WHERE vehicle.chassis_number = row.data ->> 'chassis_number'
       )
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_age_of_parties
-- Rows whose data are older than what the registry has.
SELECT row.line, 'as_of' AS column_name, 'older_than_stored' AS fault,
       party.as_of::text AS detail
  FROM import_row AS row
  INNER JOIN party ON party.identity_number = row.data ->> 'identity_number'
 WHERE party.as_of > (row.data ->> 'as_of')::date
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_age_of_vehicles
-- Rows whose data are older than what the registry has.
SELECT row.line, 'as_of' AS column_name, 'older_than_stored' AS fault,
       vehicle.as_of::text AS detail
  FROM import_row AS row
  INNER JOIN vehicle ON vehicle.chassis_number = row.data ->> 'chassis_number'
 WHERE vehicle.as_of > (row.data ->> 'as_of')::date
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_plates_of_vehicle
-- Rows after which a vehicle bears two plates on the same day.
SELECT DISTINCT row.line, 'valid_from' AS column_name, 'two_plates_at_once' AS fault, '' AS detail
  FROM import_row AS row
  INNER JOIN vehicle ON vehicle.chassis_number = row.data ->> 'chassis_number'
  INNER JOIN vehicle_plate AS mine ON mine.vehicle_id = vehicle.id
   AND mine.valid_from = (row.data ->> 'valid_from')::date
  INNER JOIN vehicle_plate AS other
    ON other.id <> mine.id
   AND other.vehicle_id = mine.vehicle_id
   AND daterange(other.valid_from, other.valid_until) && daterange(mine.valid_from,
   mine.valid_until)
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_vehicles_of_plate
-- Rows after which two vehicles bear the same plate on the same day.
SELECT DISTINCT row.line, 'plate' AS column_name, 'plate_on_two_vehicles' AS fault, '' AS detail
  FROM import_row AS row
  INNER JOIN vehicle ON vehicle.chassis_number = row.data ->> 'chassis_number'
  INNER JOIN vehicle_plate AS mine ON mine.vehicle_id = vehicle.id
   AND mine.valid_from = (row.data ->> 'valid_from')::date
  INNER JOIN vehicle_plate AS other
    ON other.id <> mine.id
   AND other.plate_text = mine.plate_text
   AND other.colour = mine.colour
   AND daterange(other.valid_from, other.valid_until) && daterange(mine.valid_from,
   mine.valid_until)
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_age_of_badges
-- Rows whose data are older than what the registry has.
SELECT row.line, 'as_of' AS column_name, 'older_than_stored' AS fault,
       badge.as_of::text AS detail
  FROM import_row AS row
  INNER JOIN badge ON badge.number = row.data ->> 'number'
 WHERE badge.as_of > (row.data ->> 'as_of')::date
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_vehicle_of_badges
-- Rows whose number the registry knows for another vehicle.
SELECT row.line, 'number' AS column_name, 'other_vehicle' AS fault, '' AS detail
  FROM import_row AS row
  INNER JOIN badge ON badge.number = row.data ->> 'number'
  INNER JOIN vehicle ON vehicle.id = badge.vehicle_id
 WHERE vehicle.chassis_number <> row.data ->> 'chassis_number'
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_badges_of_vehicle
-- Rows after which a vehicle has two badges on the same day.
SELECT DISTINCT row.line, 'valid_from' AS column_name, 'two_badges_at_once' AS fault, '' AS detail
  FROM import_row AS row
  INNER JOIN vehicle ON vehicle.chassis_number = row.data ->> 'chassis_number'
  INNER JOIN badge AS mine ON mine.number = row.data ->> 'number'
   AND mine.vehicle_id = vehicle.id
  INNER JOIN badge AS other
    ON other.id <> mine.id
   AND other.vehicle_id = mine.vehicle_id
   AND daterange(other.valid_from, least(other.valid_until,
   other.revoked_on)) && daterange(mine.valid_from, least(mine.valid_until, mine.revoked_on))
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_age_of_permits
-- Rows whose data are older than what the registry has.
SELECT row.line, 'as_of' AS column_name, 'older_than_stored' AS fault,
       border_permit.as_of::text AS detail
  FROM import_row AS row
  INNER JOIN border_permit ON border_permit.number = row.data ->> 'number'
 WHERE border_permit.as_of > (row.data ->> 'as_of')::date
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_vehicle_of_permits
-- Rows whose number the registry knows for another vehicle.
SELECT row.line, 'number' AS column_name, 'other_vehicle' AS fault, '' AS detail
  FROM import_row AS row
  INNER JOIN border_permit ON border_permit.number = row.data ->> 'number'
  INNER JOIN vehicle ON vehicle.id = border_permit.vehicle_id
 WHERE vehicle.chassis_number <> row.data ->> 'chassis_number'
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_age_of_transport_licences
-- Rows whose data are older than what the registry has.
SELECT row.line, 'as_of' AS column_name, 'older_than_stored' AS fault,
       transport_licence.as_of::text AS detail
  FROM import_row AS row
  INNER JOIN transport_licence ON transport_licence.number = row.data ->> 'number'
 WHERE transport_licence.as_of > (row.data ->> 'as_of')::date
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_age_of_driving_licences
-- Rows whose data are older than what the registry has.
SELECT row.line, 'as_of' AS column_name, 'older_than_stored' AS fault,
       driving_licence.as_of::text AS detail
  FROM import_row AS row
  INNER JOIN driving_licence ON driving_licence.number = row.data ->> 'number'
 WHERE driving_licence.as_of > (row.data ->> 'as_of')::date
 ORDER BY row.line
 LIMIT %(rows_max)s;

-- name: check_age_of_inspections
-- Rows whose data are older than what the registry has.
SELECT row.line, 'as_of' AS column_name, 'older_than_stored' AS fault,
       vehicle.inspection_as_of::text AS detail
  FROM import_row AS row
  INNER JOIN vehicle ON vehicle.chassis_number = row.data ->> 'chassis_number'
 WHERE vehicle.inspection_as_of > (row.data ->> 'as_of')::date
 ORDER BY row.line
 LIMIT %(rows_max)s;
