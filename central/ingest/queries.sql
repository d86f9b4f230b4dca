-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Ingest serves every site, so that none of its queries takes a scope.

-- name: select_known_devices
-- Those of the named devices that are registered.
SELECT device.id, device.site_id, site.province, device.enabled
  FROM device
  INNER JOIN site ON site.id = device.site_id
 WHERE device.id = any(%(device_ids)s::text[]);

-- name: select_known_cameras
-- Cameras of the named sites.
SELECT site_id, id
  FROM camera
 WHERE site_id = any(%(site_ids)s::text[]);

-- name: select_streams
-- The accounts of the outboxes in a batch, as far as they are open.
SELECT device_stream.id, device_stream.device_id, device_stream.outbox_id, device_stream.held
  FROM unnest(%(device_ids)s::text[], %(outbox_ids)s::uuid[]) AS named (device_id, outbox_id)
  INNER JOIN device_stream
     ON device_stream.device_id = named.device_id AND device_stream.outbox_id = named.outbox_id;

-- name: insert_streams
-- Open the accounts of outboxes that are new; always in the same order, so that two ingests can't
-- wait for each other.
INSERT INTO device_stream (device_id, outbox_id, first_received_at, last_received_at)
SELECT device_id, outbox_id, %(now)s AS first_received_at, %(now)s AS last_received_at
  FROM unnest(%(device_ids)s::text[], %(outbox_ids)s::uuid[]) AS named (device_id, outbox_id)
 ORDER BY device_id, outbox_id
ON CONFLICT (device_id, outbox_id) DO NOTHING;

-- name: lock_feed
-- Wait until no other ingest is about to commit passages, and let none do so before the commit.
SELECT pg_advisory_xact_lock(%(lock_id)s::bigint);

-- name: lock_streams
-- Lock the accounts of the outboxes in a batch until the commit, in the order in which they are
-- added to.
SELECT device_stream.id, device_stream.device_id, device_stream.outbox_id, device_stream.held
  FROM unnest(%(device_ids)s::text[], %(outbox_ids)s::uuid[]) AS named (device_id, outbox_id)
  INNER JOIN device_stream
     ON device_stream.device_id = named.device_id AND device_stream.outbox_id = named.outbox_id
 ORDER BY device_stream.id
   FOR UPDATE OF device_stream;

-- name: update_stream
-- Add the numbers and counts of a batch to an outbox's account, unless another ingest added one of
-- the numbers since the account was read; returns what the account then holds.
UPDATE device_stream
   SET held = held + %(held)s::int8multirange,
       last_received_at = greatest(last_received_at, %(now)s),
       announced_seq = greatest(announced_seq, %(announced_seq)s::bigint),
       stored_count = stored_count + %(stored)s,
       doubled_count = doubled_count + %(doubled)s,
       quarantined_count = quarantined_count + %(quarantined)s,
       late_count = late_count + %(late)s
 WHERE id = %(stream_id)s
   AND NOT held && %(held)s::int8multirange
RETURNING held;

-- name: select_identities
-- Events that are stored already, by their id.
SELECT id, stream_id, seq
  FROM passage_identity
 WHERE id = any(%(event_ids)s::uuid[]);

-- name: claim_identities
-- Claim the ids of a batch; those that are stored already come back. They are few, so that hardly
-- anything is sent. Always in the same order, so that two ingests can't wait for each other.
WITH claimed AS (
  INSERT INTO passage_identity (id, captured_at, stream_id, seq, is_recording)
  SELECT id, captured_at, stream_id, seq, is_recording
    FROM incoming_identity
   ORDER BY id
  ON CONFLICT (id) DO NOTHING
  RETURNING id
)

SELECT incoming_identity.id
  FROM incoming_identity
  LEFT JOIN claimed ON claimed.id = incoming_identity.id
 WHERE claimed.id IS NULL;

-- name: touch_minutes
-- Have the minutes counted anew in which these passages lie.
INSERT INTO passage_touched (minute_at)
SELECT minute_at
  FROM unnest(%(minutes)s::timestamptz[]) AS touched (minute_at);

-- name: forget_incoming
-- Leave ids out of the batch that turned out to be stored already.
DELETE FROM incoming_identity
 WHERE id = any(%(taken)s::uuid[]);

-- name: insert_feed_entry
-- Tell live pages what this commit stores: the batch's passages whose ids are claimed. The lock
-- makes positions ascend with the commits.
WITH lock AS MATERIALIZED (
  SELECT pg_advisory_xact_lock(%(lock_id)s::bigint)
)
INSERT INTO passage_feed (stored_at, captured_ats, passage_ids)
SELECT %(now)s AS stored_at, array_agg(captured_at) AS captured_ats,
       array_agg(id) AS passage_ids
  FROM incoming_identity
  CROSS JOIN lock
 WHERE is_passage
RETURNING position;

-- name: notify_feed
-- Wake live pages when this transaction commits.
SELECT pg_notify(%(channel)s, %(position)s::text);

-- name: upsert_quarantine
-- Keep a message that can't become a row; the same one again is only counted.
INSERT INTO quarantine
       (fingerprint, reason, detail, topic, payload, payload_size_bytes, device_id, event_id,
        outbox_id, seq, received_at, last_received_at)
VALUES (%(fingerprint)s, %(reason)s, %(detail)s, %(topic)s, %(payload)s, %(size_bytes)s,
        %(device_id)s, %(event_id)s, %(outbox_id)s, %(seq)s, %(now)s, %(now)s)
ON CONFLICT (fingerprint)
DO UPDATE SET times_seen = quarantine.times_seen + 1,
              last_received_at = excluded.last_received_at;

-- name: select_quarantined
-- Which messages were in quarantine before, by their fingerprints.
SELECT fingerprint, reason, resolved_at IS NOT NULL AS is_resolved,
       mended_payload IS NOT NULL AS is_mended
  FROM quarantine
 WHERE fingerprint = any(%(fingerprints)s::bytea[]);

-- name: resolve_quarantined
-- Close messages that became rows after all.
UPDATE quarantine
   SET resolved_at = %(now)s, resolution = 'stored'
 WHERE fingerprint = any(%(fingerprints)s::bytea[])
   AND resolved_at IS NULL;

-- name: select_releasable
-- Messages whose reason can pass by itself: the device or camera may have been registered since.
-- One that somebody mended is tried when it is named.
SELECT quarantine.id, quarantine.topic,
       coalesce(quarantine.mended_payload, quarantine.payload) AS payload
  FROM quarantine
  INNER JOIN device ON device.id = quarantine.device_id
 WHERE quarantine.resolved_at IS NULL
   AND (
     quarantine.reason = any(%(reasons)s::text[])
     OR (%(entry_id)s::bigint IS NOT NULL AND quarantine.mended_payload IS NOT NULL)
   )
   AND quarantine.id > %(after_id)s
   AND (%(entry_id)s::bigint IS NULL OR quarantine.id = %(entry_id)s::bigint)
   AND device.enabled
 ORDER BY quarantine.id
 LIMIT %(rows_max)s;

-- name: resolve_stored
-- Close messages in quarantine whose event is stored by now.
UPDATE quarantine
   SET resolved_at = %(now)s, resolution = 'stored'
  FROM passage_identity
 WHERE quarantine.id = any(%(quarantine_ids)s::bigint[])
   AND quarantine.resolved_at IS NULL
   AND passage_identity.id = quarantine.event_id
   AND passage_identity.seq = quarantine.seq;

-- name: count_quarantine
-- Open messages in quarantine by reason.
SELECT reason, count(*) AS messages
  FROM quarantine
 WHERE resolved_at IS NULL
 GROUP BY reason
 ORDER BY reason;

-- name: upsert_device_status
-- Keep the newest heartbeat of a device; an older one that comes late changes nothing.
INSERT INTO device_status
       (device_id, heartbeat_id, sent_at, received_at, silence_changed_at, outbox_id,
        outbox_events, pictures_dropped, clock_error_ms, report)
VALUES (%(device_id)s, %(heartbeat_id)s, %(sent_at)s, %(now)s, %(now)s, %(outbox_id)s,
        %(outbox_events)s, %(pictures_dropped)s, %(clock_error_ms)s, %(report)s)
ON CONFLICT (device_id)
DO UPDATE SET heartbeat_id = excluded.heartbeat_id,
              sent_at = excluded.sent_at,
              received_at = excluded.received_at,
              is_silent = FALSE,
              silence_changed_at = CASE
                WHEN device_status.is_silent THEN excluded.received_at
                ELSE device_status.silence_changed_at
              END,
              outbox_id = excluded.outbox_id,
              outbox_events = excluded.outbox_events,
              pictures_dropped = excluded.pictures_dropped,
              clock_error_ms = excluded.clock_error_ms,
              report = excluded.report
        WHERE excluded.received_at >= device_status.received_at;

-- name: upsert_heartbeat_minute
-- Keep the last heartbeat of every minute.
INSERT INTO device_heartbeat (device_id, minute_at, sent_at, received_at, report)
VALUES (%(device_id)s, date_trunc('minute', %(now)s::timestamptz), %(sent_at)s, %(now)s,
        %(report)s)
ON CONFLICT (device_id, minute_at)
DO UPDATE SET sent_at = excluded.sent_at,
              received_at = excluded.received_at,
              report = excluded.report;

-- name: select_quarantine_of
-- Open messages that a user may deal with, newest first, without their contents. Those of no known
-- device belong to no site and need the scope of everything.
SELECT quarantine.id, quarantine.reason, quarantine.detail, quarantine.topic, quarantine.device_id,
       quarantine.seq, quarantine.payload_size_bytes, quarantine.times_seen,
       quarantine.received_at, quarantine.last_received_at, quarantine.mended_at,
       quarantine.mended_by, quarantine.mend_note
  FROM quarantine
  LEFT JOIN device ON device.id = quarantine.device_id
 WHERE quarantine.resolved_at IS NULL
   AND (%(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[]))
   AND (%(entry_id)s::bigint IS NULL OR quarantine.id = %(entry_id)s::bigint)
   AND (%(reason)s::text IS NULL OR quarantine.reason = %(reason)s::text)
   AND (%(device_id)s::text IS NULL OR quarantine.device_id = %(device_id)s::text)
   AND (%(before_id)s::bigint IS NULL OR quarantine.id < %(before_id)s::bigint)
 ORDER BY quarantine.id DESC
 LIMIT %(rows_max)s;

-- name: select_quarantined_payload
-- What one message says; the caller has checked that the user may see it.
SELECT payload, mended_payload, topic, reason, event_id, outbox_id, seq
  FROM quarantine
 WHERE id = %(entry_id)s;

-- name: count_quarantine_by_device
-- Open messages that a user may deal with by device, the most first; null for no known device.
SELECT quarantine.device_id, count(*) AS messages
  FROM quarantine
  LEFT JOIN device ON device.id = quarantine.device_id
 WHERE quarantine.resolved_at IS NULL
   AND (%(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[]))
 GROUP BY quarantine.device_id
 ORDER BY messages DESC, quarantine.device_id ASC
 LIMIT %(rows_max)s;

-- name: mend_quarantined
-- Keep what shall be stored in a message's place, unless its number came from elsewhere; what was
-- not known of its event is known now.
UPDATE quarantine
   SET mended_payload = %(payload)s, mended_at = %(now)s, mended_by = %(mended_by)s,
       mend_note = %(note)s, event_id = %(event_id)s, outbox_id = %(outbox_id)s, seq = %(seq)s,
       device_id = %(device_id)s
 WHERE id = %(entry_id)s
   AND resolved_at IS NULL
   AND (
     seq IS NOT NULL
     OR NOT EXISTS (
       SELECT FROM device_stream
        WHERE device_stream.device_id = %(device_id)s
          AND device_stream.outbox_id = %(outbox_id)s
          AND device_stream.held @> %(seq)s::bigint
     )
   );

-- name: drop_quarantined
-- Close a message for good.
UPDATE quarantine
   SET resolved_at = %(now)s, resolution = 'dropped', resolved_by = %(resolved_by)s,
       resolution_note = %(note)s
 WHERE id = %(entry_id)s
   AND resolved_at IS NULL;

-- name: upsert_device_days
-- Add what a batch brought to the outboxes' accounts of the day.
INSERT INTO device_day
       (stream_id, day, first_seq, last_seq, stored_count, doubled_count, quarantined_count,
        late_count)
VALUES (%(stream_id)s, %(day)s, %(first_seq)s, %(last_seq)s, %(stored)s, %(doubled)s,
        %(quarantined)s, %(late)s)
ON CONFLICT (stream_id, day)
DO UPDATE SET first_seq = least(device_day.first_seq, excluded.first_seq),
              last_seq = greatest(device_day.last_seq, excluded.last_seq),
              stored_count = device_day.stored_count + excluded.stored_count,
              doubled_count = device_day.doubled_count + excluded.doubled_count,
              quarantined_count = device_day.quarantined_count + excluded.quarantined_count,
              late_count = device_day.late_count + excluded.late_count;

-- name: insert_traffic_minute
-- Store one minute of one camera.
INSERT INTO traffic_minute
       (id, captured_at, stored_at, device_id, stream_id, seq, boot_id, site_id, clock_source,
        clock_error_ms, is_late,
        camera_id, lane, minute_at, frames_analysed, frames_dropped, counts)
VALUES (%(id)s, %(captured_at)s, %(now)s, %(device_id)s, %(stream_id)s, %(seq)s, %(boot_id)s,
        %(site_id)s, %(clock_source)s, %(clock_error_ms)s, %(is_late)s,
        %(camera_id)s, %(lane)s, %(minute_at)s,
        %(frames_analysed)s, %(frames_dropped)s, %(counts)s);

-- name: insert_incident_report
-- Store one telling of an incident.
INSERT INTO incident_report
       (id, captured_at, stored_at, device_id, stream_id, seq, boot_id, site_id, clock_source,
        clock_error_ms, is_late,
        incident_id, kind, phase, began_at, camera_id, lane, confidence, box, pictures)
VALUES (%(id)s, %(captured_at)s, %(now)s, %(device_id)s, %(stream_id)s, %(seq)s, %(boot_id)s,
        %(site_id)s, %(clock_source)s, %(clock_error_ms)s, %(is_late)s,
        %(incident_id)s, %(kind)s, %(phase)s, %(began_at)s,
        %(camera_id)s, %(lane)s, %(confidence)s, %(box)s, %(pictures)s);

-- name: insert_evidence_notice
-- Store what became of a picture.
INSERT INTO evidence_notice
       (id, captured_at, stored_at, device_id, stream_id, seq, boot_id, site_id, clock_source,
        clock_error_ms, is_late,
        event_id, sha256, fate)
VALUES (%(id)s, %(captured_at)s, %(now)s, %(device_id)s, %(stream_id)s, %(seq)s, %(boot_id)s,
        %(site_id)s, %(clock_source)s, %(clock_error_ms)s, %(is_late)s,
        %(event_id)s, %(sha256)s, %(fate)s);
