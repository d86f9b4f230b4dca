-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Each upsert returns whether the row is new; none is returned when the row may not be changed.
-- The setup belongs to the administrator at the server: no scope.

-- name: upsert_stations
-- A station.
INSERT INTO toll_station (id, name, site_id, kind, is_expressway, created_at)
VALUES (%(station)s, %(name)s, %(site)s, %(kind)s, coalesce(%(is_expressway)s::boolean, false),
        %(now)s)
ON CONFLICT (id) DO UPDATE
   SET name = excluded.name,
       is_expressway = excluded.is_expressway
 WHERE toll_station.site_id = excluded.site_id
   AND toll_station.kind = excluded.kind
RETURNING (xmax = 0) AS is_created;

-- name: upsert_lanes
-- A lane of a station, at the station's site.
INSERT INTO toll_lane (station_id, number, kind, site_id, camera_id, reader_id)
SELECT station.id, %(number)s::smallint, %(kind)s, station.site_id, %(camera)s, %(reader)s
  FROM toll_station AS station
 WHERE station.id = %(station)s
ON CONFLICT (station_id, number) DO UPDATE
   SET kind = excluded.kind,
       camera_id = excluded.camera_id,
       reader_id = excluded.reader_id,
       in_use_since = CASE
         WHEN toll_lane.camera_id = excluded.camera_id
           AND toll_lane.reader_id = excluded.reader_id THEN toll_lane.in_use_since
         ELSE now()
       END
RETURNING (xmax = 0) AS is_created;

-- name: upsert_tariffs
-- A price; of one that is there only the end may change, since crossings were charged by it.
INSERT INTO toll_tariff
       (id, station_id, vehicle_group, price_dong, valid_from, valid_until, legal_reference,
        confidence)
VALUES (%(id)s, %(station)s, %(vehicle_group)s::smallint, %(price_dong)s::bigint, %(valid_from)s,
        %(valid_until)s, %(legal_reference)s, %(confidence)s)
ON CONFLICT (id) DO UPDATE
   SET valid_until = excluded.valid_until
 WHERE toll_tariff.price_dong = excluded.price_dong
RETURNING (xmax = 0) AS is_created;

-- name: upsert_accounts
-- A traffic account; it stays with its holder and its provider.
INSERT INTO toll_account (number, provider, holder_id, state, is_priority, opened_on, created_at)
SELECT %(account_number)s, %(provider)s, party.id, %(state)s,
       coalesce(%(is_priority)s::boolean, false) AS is_priority, %(opened_on)s::date,
       %(now)s::timestamptz
  FROM party
 WHERE party.identity_number = %(holder)s
ON CONFLICT (number) DO UPDATE
   SET state = excluded.state,
       is_priority = excluded.is_priority
 WHERE toll_account.holder_id = excluded.holder_id
   AND toll_account.provider = excluded.provider
RETURNING (xmax = 0) AS is_created;

-- name: upsert_tags
-- A tag on an account for a vehicle; of one that is there only the end may change.
INSERT INTO toll_tag (id, epc, account_number, vehicle_id, valid_from, valid_until)
SELECT %(id)s::uuid, %(epc)s, %(account_number)s, vehicle.id, %(valid_from_at)s::timestamptz,
       %(valid_until_at)s::timestamptz
  FROM vehicle
 WHERE vehicle.chassis_number = %(chassis_number)s
ON CONFLICT (id) DO UPDATE
   SET valid_until = excluded.valid_until
 WHERE toll_tag.vehicle_id = excluded.vehicle_id
RETURNING (xmax = 0) AS is_created;

-- name: select_known
-- Which of the things that rows name are there.
SELECT exists(SELECT FROM toll_station WHERE id = %(station)s) AS has_station,
       exists(SELECT FROM party WHERE identity_number = %(holder)s) AS has_holder,
       exists(SELECT FROM vehicle WHERE chassis_number = %(chassis_number)s) AS has_vehicle,
       exists(SELECT FROM toll_account WHERE number = %(account_number)s) AS has_account;

-- name: select_provider
-- Who holds the money of an account, and in which state it is.
SELECT provider, state
  FROM toll_account
 WHERE number = %(account_number)s;

-- name: select_earlier_top_up
-- When a top-up with this key was booked first: its repeat says the same.
SELECT occurred_at
  FROM ledger_entry
 WHERE idempotency_key = %(key)s;
