-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: select_device_health
-- Devices that the caller may see, by id from one on, each with its newest heartbeat and how many
-- vehicles it saw lately, with and without a plate.
SELECT device.id, device.site_id, site.name AS site_name, site.province, device.enabled,
       device_status.received_at AS heard_at, device_status.is_silent, device_status.report,
       lately.passages, lately.plates
  FROM device
  INNER JOIN site ON site.id = device.site_id
  LEFT JOIN device_status ON device_status.device_id = device.id
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
