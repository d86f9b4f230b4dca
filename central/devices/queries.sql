-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: select_device_health
-- Devices that the caller may see, by id from one on, each with its newest heartbeat and how many
-- vehicles it saw lately, with and without a plate.
SELECT device.id, device.site_id, site.name AS site_name, site.province, device.enabled,
       device_status.received_at AS heard_at, device_status.is_silent, device_status.report,
       lately.passages, lately.plates,
       coalesce(device_lost.lost_numbers, 0) AS lost_numbers
  FROM device
  INNER JOIN site ON site.id = device.site_id
  LEFT JOIN device_status ON device_status.device_id = device.id
  LEFT JOIN device_lost ON device_lost.device_id = device.id
  LEFT JOIN (
         SELECT passage.device_id, count(*) AS passages,
                count(*) FILTER (WHERE passage.plate_text <> '') AS plates
           FROM passage
          WHERE passage.captured_at >= %(since)s
          GROUP BY passage.device_id
       ) AS lately ON lately.device_id = device.id
 WHERE (%(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[]))
   AND (%(device_id)s::text IS NULL OR device.id = %(device_id)s::text)
   AND device.id > %(after)s::text
 ORDER BY device.id
 LIMIT %(rows_max)s;

-- name: select_device_history
-- How one device was over time, newest span first; the caller has checked that it lies in the
-- scope.
SELECT time_bucket(%(span)s::interval, device_heartbeat.minute_at) AS began_at,
       count(*) AS minutes_heard,
       avg(cameras.analysed_fps) AS analysed_fps,
       max((device_heartbeat.report ->> 'outbox_events')::bigint) AS outbox_events,
       max((device_heartbeat.report ->> 'clock_error_ms')::bigint) AS clock_error_ms,
       max((device_heartbeat.report ->> 'temperature_celsius')::double precision)
         AS temperature_celsius
  FROM device_heartbeat
  CROSS JOIN LATERAL (
         SELECT sum((camera.health ->> 'analysed_fps')::double precision) AS analysed_fps
           FROM jsonb_array_elements(
                  coalesce(device_heartbeat.report -> 'cameras', '[]'::jsonb)
                ) AS camera (health)
       ) AS cameras
 WHERE device_heartbeat.device_id = %(device_id)s
   AND device_heartbeat.minute_at >= %(since)s
 GROUP BY began_at
 ORDER BY began_at DESC
 LIMIT %(rows_max)s;

-- name: select_device_days
-- What came from devices that the caller may see, newest day first. A number counts as missing
-- on the day on which a higher one came first, until it comes itself.
SELECT device_day.day, device_stream.device_id, site.name AS site_name, device_stream.outbox_id,
       device_day.stream_id, device_day.first_seq, device_day.last_seq,
       device_day.stored_count, device_day.doubled_count, device_day.quarantined_count,
       device_day.late_count,
       coalesce(
         (
           SELECT sum(upper(hole.numbers) - lower(hole.numbers))
             FROM unnest(
                    int8multirange(
                      CASE WHEN device_day.last_seq > coalesce(earlier.last_seq, 0)
                        THEN int8range(coalesce(earlier.last_seq, 0) + 1, device_day.last_seq, '[]')
                        ELSE 'empty'::int8range
                      END
                    ) - device_stream.held
                  ) AS hole (numbers)
         ), 0
       )::bigint AS missing_count
  FROM device_day
  INNER JOIN device_stream ON device_stream.id = device_day.stream_id
  INNER JOIN device ON device.id = device_stream.device_id
  INNER JOIN site ON site.id = device.site_id
  LEFT JOIN LATERAL (
         SELECT max(before.last_seq) AS last_seq
           FROM device_day AS before
          WHERE before.stream_id = device_day.stream_id AND before.day < device_day.day
       ) AS earlier ON TRUE
 WHERE (%(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[]))
   AND (%(device_id)s::text IS NULL OR device.id = %(device_id)s::text)
   AND (device_day.day, device_day.stream_id) < (%(before_day)s::date, %(before_id)s::bigint)
 ORDER BY device_day.day DESC, device_day.stream_id DESC
 LIMIT %(rows_max)s;

-- name: insert_invitation
-- Keep the hash of a token that invites a device.
INSERT INTO device_invitation (token_hash, device_id, invited_by, invited_at, expires_at)
SELECT %(token_hash)s AS hash, device.id AS device, %(invited_by)s AS inviter, %(now)s AS began_at,
       %(expires_at)s AS ends_at
  FROM device
 WHERE device.id = %(device_id)s
RETURNING device_id;

-- name: expire_invitations
-- Let earlier invitations of a device count no more; a used one stays used.
UPDATE device_invitation
   SET used_at = %(now)s
 WHERE device_id = %(device_id)s
   AND used_at IS NULL;

-- name: use_invitation
-- Use an invitation up, once, before it expires; nothing comes back otherwise. No scope: this is
-- the device's own login.
UPDATE device_invitation
   SET used_at = %(now)s
  FROM device
  INNER JOIN site ON site.id = device.site_id
 WHERE device_invitation.token_hash = %(token_hash)s
   AND device_invitation.used_at IS NULL
   AND device_invitation.expires_at > %(now)s
   AND device.id = device_invitation.device_id
   AND device.enabled
RETURNING device.id, device.site_id, site.province, device.enabled;

-- name: insert_certificate
-- Remember a certificate that was issued.
INSERT INTO device_certificate
       (serial, device_id, public_key_pem, not_before_at, not_after_at, issued_at)
VALUES (%(serial)s, %(device_id)s, %(public_key_pem)s, %(not_before_at)s, %(not_after_at)s,
        %(now)s);

-- name: select_certificates
-- Certificates of one device, newest first; no scope, as only commands ask.
SELECT serial, device_id, public_key_pem, not_before_at, not_after_at, issued_at, revoked_at,
       revocation_reason
  FROM device_certificate
 WHERE device_id = %(device_id)s
 ORDER BY issued_at DESC, serial ASC
 LIMIT %(rows_max)s;

-- name: revoke_certificates
-- Let every certificate of a device count no more from now on.
UPDATE device_certificate
   SET revoked_at = %(now)s, revocation_reason = %(reason)s
 WHERE device_id = %(device_id)s
   AND revoked_at IS NULL
RETURNING serial;

-- name: select_revoked_certificates
-- Certificates that were revoked and have not expired, for the list that the broker reads.
SELECT serial, revoked_at
  FROM device_certificate
 WHERE revoked_at IS NOT NULL
   AND not_after_at > %(now)s
 ORDER BY revoked_at, serial
 LIMIT %(rows_max)s;

-- name: insert_live_frame
-- Ask for a picture of a camera that the site of the device has, within the caller's scope.
INSERT INTO live_frame (id, device_id, camera_id, user_id, asked_at, expires_at)
SELECT %(frame_id)s AS frame, device.id AS device, camera.id AS camera, %(user_id)s AS asker,
       %(now)s AS began_at, %(expires_at)s AS ends_at
  FROM device
  INNER JOIN camera ON camera.site_id = device.site_id AND camera.id = %(camera_id)s
 WHERE device.id = %(device_id)s
   AND device.enabled
   AND (%(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[]))
RETURNING id;

-- name: count_live_frames
-- How many pictures a user is waiting for or may still look at.
SELECT count(*)
  FROM live_frame
 WHERE user_id = %(user_id)s
   AND expires_at > %(now)s;

-- name: select_live_frame
-- A picture for the one who asked for it, until it expires; their scope may have shrunk meanwhile.
SELECT live_frame.id, live_frame.device_id, live_frame.camera_id, live_frame.asked_at,
       live_frame.expires_at, live_frame.answered_at, live_frame.picture
  FROM live_frame
  INNER JOIN device ON device.id = live_frame.device_id
 WHERE live_frame.id = %(frame_id)s
   AND live_frame.device_id = %(device_id)s
   AND live_frame.user_id = %(user_id)s
   AND live_frame.expires_at > %(now)s
   AND (%(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[]));

-- name: select_live_frame_command
-- What to ask the device; nothing once it has answered or it is too late. No scope: a job asks.
SELECT live_frame.id, live_frame.device_id, live_frame.camera_id, live_frame.expires_at,
       device.site_id, site.province
  FROM live_frame
  INNER JOIN device ON device.id = live_frame.device_id
  INNER JOIN site ON site.id = device.site_id
 WHERE live_frame.id = %(frame_id)s
   AND live_frame.answered_at IS NULL
   AND live_frame.expires_at > %(now)s;

-- name: answer_live_frame
-- Keep the picture that a device was asked for, once, while somebody waits for it. No scope: this
-- is the device's own upload.
UPDATE live_frame
   SET picture = %(picture)s, answered_at = %(now)s
 WHERE id = %(frame_id)s
   AND device_id = %(device_id)s
   AND answered_at IS NULL
   AND expires_at > %(now)s;

-- name: delete_expired_live_frames
-- Forget pictures whose minutes are over.
DELETE FROM live_frame WHERE expires_at <= %(now)s;
