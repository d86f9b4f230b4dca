-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: insert_site
-- Make a site unless it exists; an existing one keeps its name and province.
INSERT INTO site (id, province, name)
VALUES (%(site_id)s, %(province)s, %(name)s)
ON CONFLICT (id) DO NOTHING;

-- name: insert_camera
-- Make a camera unless it exists.
INSERT INTO camera (site_id, id, name)
VALUES (%(site_id)s, %(camera_id)s, %(name)s)
ON CONFLICT (site_id, id) DO NOTHING;

-- name: insert_device
-- Register a device; an existing one is left alone.
INSERT INTO device (id, site_id, secret_hash, secret_set_at)
VALUES (%(device_id)s, %(site_id)s, %(secret_hash)s, %(now)s)
ON CONFLICT (id) DO NOTHING;

-- name: update_device_secret
-- Replace a device's secret; the old one stops working with the commit.
UPDATE device
   SET secret_hash = %(secret_hash)s, secret_set_at = %(now)s
 WHERE id = %(device_id)s;

-- name: update_device_enabled
-- Switch a device on or off.
UPDATE device
   SET enabled = %(enabled)s
 WHERE id = %(device_id)s;

-- name: select_site
-- One site by its id; no scope, since a site's name is no personal data.
SELECT id, province, name
  FROM site
 WHERE id = %(site_id)s;

-- name: select_sites
-- Sites that the caller may see, by name.
SELECT id, province, name
  FROM site
 WHERE %(scope)s::text[] IS NULL OR id = any(%(scope)s::text[])
 ORDER BY name, id
 LIMIT %(rows_max)s;

-- name: select_sites_after
-- Sites that the caller may see after an id, by id.
SELECT id, province, name
  FROM site
 WHERE (%(scope)s::text[] IS NULL OR id = any(%(scope)s::text[]))
   AND id > %(after)s
 ORDER BY id
 LIMIT %(rows_max)s;

-- name: select_cameras
-- Cameras that the caller may see, by site and name.
SELECT site_id, id, name
  FROM camera
 WHERE %(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[])
 ORDER BY site_id, name, id
 LIMIT %(rows_max)s;

-- name: select_device_with_secret
-- A device and the hash of its secret; no scope, as this is the device's own login.
SELECT device.id, device.site_id, site.province, device.enabled, device.secret_hash
  FROM device
  INNER JOIN site ON site.id = device.site_id
 WHERE device.id = %(device_id)s;

-- name: select_device_overviews
-- Devices that the caller may see, with their newest heartbeat.
SELECT device.id, device.site_id, site.name AS site_name, site.province, device.enabled,
       device_status.received_at AS last_heartbeat_at, device_status.is_silent,
       device_status.outbox_events, device_status.clock_error_ms,
       coalesce(device_status.report -> 'cameras', '[]'::jsonb) AS cameras,
       coalesce(device_lost.lost_numbers, 0) AS lost_numbers
  FROM device
  INNER JOIN site ON site.id = device.site_id
  LEFT JOIN device_status ON device_status.device_id = device.id
  LEFT JOIN device_lost ON device_lost.device_id = device.id
 WHERE %(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[])
 ORDER BY device.id
 LIMIT %(rows_max)s;

-- name: select_completeness
-- What the centre holds of every outbox of one device, oldest outbox first; no scope, since
-- it holds numbers only.
SELECT device_id, outbox_id, held, announced_seq, stored_count, doubled_count,
       quarantined_count, late_count, first_received_at, last_received_at
  FROM device_stream
 WHERE device_id = %(device_id)s
 ORDER BY first_received_at, id
 LIMIT %(rows_max)s;

-- name: mark_silent_devices
-- Mark devices whose newest heartbeat is too old, and return them with their sites.
UPDATE device_status
   SET is_silent = TRUE, silence_changed_at = %(now)s, is_silence_told = TRUE
  FROM device
 WHERE device.id = device_status.device_id
   AND NOT device_status.is_silent
   AND device_status.received_at < %(heard_before)s
RETURNING device_status.device_id, device.site_id;

-- name: take_heard_devices
-- Devices whose silence was told and that are heard again, with their sites; each comes back once.
UPDATE device_status
   SET is_silence_told = FALSE
  FROM device
 WHERE device.id = device_status.device_id
   AND device_status.is_silence_told
   AND NOT device_status.is_silent
RETURNING device_status.device_id, device.site_id;

-- name: delete_old_heartbeats
-- Forget heartbeat history before a time, at most so many rows at once.
DELETE FROM device_heartbeat
 WHERE ctid = any(
         array(
           SELECT ctid
             FROM device_heartbeat
            WHERE minute_at < %(before)s
            ORDER BY minute_at
            LIMIT %(rows_max)s
         )
       );

-- name: select_placed_sites
-- Sites that the caller may see, with where they stand as far as somebody told it.
SELECT id, name, latitude, longitude
  FROM site
 WHERE %(scope)s::text[] IS NULL OR id = any(%(scope)s::text[])
 ORDER BY name, id
 LIMIT %(rows_max)s;

-- name: update_site_position
-- Say where a site stands.
UPDATE site
   SET latitude = %(latitude)s, longitude = %(longitude)s
 WHERE id = %(site_id)s;
