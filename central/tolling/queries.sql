-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: select_feed_keys
-- Keys of the passages that one commit stored. For matching, which knows no caller.
SELECT captured_ats, passage_ids
  FROM passage_feed
 WHERE position = %(position)s;

-- name: select_lane_passages
-- Those of some passages that toll lanes' cameras saw, oldest first. For matching.
SELECT passage.id, passage.captured_at, lane.station_id, lane.number AS lane_number,
       passage.plate_text, passage.plate_colour, passage.plate_confidence,
       passage.plate_alternatives, passage.vehicle_class, passage.vehicle_confidence,
       passage.is_late
  FROM unnest(%(captured_ats)s::timestamptz[], %(passage_ids)s::uuid[])
       AS wanted (captured_at, id)
  INNER JOIN passage ON passage.captured_at = wanted.captured_at AND passage.id = wanted.id
  INNER JOIN toll_lane AS lane
    ON lane.site_id = passage.site_id AND lane.camera_id = passage.camera_id
 WHERE passage.captured_at BETWEEN %(captured_at_min)s AND %(captured_at_max)s
 ORDER BY passage.captured_at, passage.id
 LIMIT %(rows_max)s;

-- name: select_lane_passage
-- One passage as the toll sees it, whichever lane its camera watches.
SELECT passage.id, passage.captured_at, %(station_id)s::text AS station_id,
       %(lane_number)s::int AS lane_number, passage.plate_text, passage.plate_colour,
       passage.plate_confidence, passage.plate_alternatives, passage.vehicle_class,
       passage.vehicle_confidence, passage.is_late
  FROM passage_identity
  INNER JOIN passage
    ON passage.captured_at = passage_identity.captured_at
   AND passage.id = passage_identity.id
 WHERE passage_identity.id = %(passage_id)s::uuid;

-- name: select_lane_tag_read
-- One tag read with the toll lane that its reader watches now.
SELECT tag_read.id, tag_read.captured_at, lane.station_id, lane.number AS lane_number,
       tag_read.epc, tag_read.tid, tag_read.reads, tag_read.rssi_dbm, tag_read.is_late
  FROM passage_identity
  INNER JOIN tag_read
    ON tag_read.captured_at = passage_identity.captured_at
   AND tag_read.id = passage_identity.id
  INNER JOIN toll_lane AS lane
    ON lane.site_id = tag_read.site_id AND lane.reader_id = tag_read.reader_id
 WHERE passage_identity.id = %(tag_read_id)s::uuid;

-- name: select_lane_passage_in_use
-- One passage with the toll lane that its camera watches now. For matching.
SELECT passage.id, passage.captured_at, lane.station_id, lane.number AS lane_number,
       passage.plate_text, passage.plate_colour, passage.plate_confidence,
       passage.plate_alternatives, passage.vehicle_class, passage.vehicle_confidence,
       passage.is_late
  FROM passage_identity
  INNER JOIN passage
    ON passage.captured_at = passage_identity.captured_at
   AND passage.id = passage_identity.id
  INNER JOIN toll_lane AS lane
    ON lane.site_id = passage.site_id AND lane.camera_id = passage.camera_id
 WHERE passage_identity.id = %(passage_id)s::uuid;

-- name: select_unmatched_passages
-- Passages at toll lanes that should have been matched by now, newest first. For matching.
SELECT passage.id
  FROM toll_lane AS lane
  INNER JOIN passage
    ON passage.site_id = lane.site_id
   AND passage.camera_id = lane.camera_id
   AND passage.stored_at >= lane.in_use_since
 WHERE passage.captured_at > %(after_at)s::timestamptz
   AND passage.stored_at < %(before_at)s::timestamptz
   AND NOT EXISTS (
     SELECT FROM toll_crossing AS crossing WHERE crossing.passage_id = passage.id
   )
 ORDER BY passage.captured_at DESC, passage.id DESC
 LIMIT %(rows_max)s;

-- name: select_unmatched_tag_reads
-- Tag reads at toll lanes that should have been matched by now, newest first. For matching.
SELECT tag_read.id
  FROM toll_lane AS lane
  INNER JOIN tag_read
    ON tag_read.site_id = lane.site_id
   AND tag_read.reader_id = lane.reader_id
   AND tag_read.stored_at >= lane.in_use_since
 WHERE tag_read.captured_at > %(after_at)s::timestamptz
   AND tag_read.stored_at < %(before_at)s::timestamptz
   AND NOT EXISTS (
     SELECT FROM toll_crossing AS crossing WHERE crossing.tag_read_id = tag_read.id
   )
 ORDER BY tag_read.captured_at DESC, tag_read.id DESC
 LIMIT %(rows_max)s;

-- name: lock_lane
-- One lane's events are matched one after the other.
SELECT kind
  FROM toll_lane
 WHERE station_id = %(station_id)s
   AND number = %(lane_number)s
   FOR NO KEY UPDATE;

-- name: select_crossing_of_event
-- The crossing that a passage or a tag read already belongs to.
SELECT id
  FROM toll_crossing
 WHERE passage_id = %(event_id)s::uuid
    OR tag_read_id = %(event_id)s::uuid
 ORDER BY created_at
 LIMIT 1;

-- name: select_partners
-- Crossings of one lane that lack a tag read or a passage and lie near a time, nearest first.
SELECT id, passage_id, tag_read_id, state, created_at
  FROM toll_crossing
 WHERE station_id = %(station_id)s
   AND lane_number = %(lane_number)s
   AND state IN ('waiting', 'review')
   AND crossed_at BETWEEN %(from_at)s::timestamptz AND %(until_at)s::timestamptz
   AND ((%(lacking)s::text = 'passage' AND passage_id IS NULL)
     OR (%(lacking)s::text = 'tag_read' AND tag_read_id IS NULL))
 ORDER BY greatest(crossed_at - %(near_at)s, %(near_at)s - crossed_at), crossed_at, id
 LIMIT %(rows_max)s;

-- name: insert_crossing
-- Begin a crossing with the event that came first.
INSERT INTO toll_crossing
       (id, station_id, lane_number, crossed_at, booked_on, passage_id, tag_read_id, state,
        plate_text, plate_colour, class_seen, epc, is_late, created_at)
VALUES (%(id)s, %(station_id)s, %(lane_number)s, %(crossed_at)s, %(booked_on)s, %(passage_id)s,
        %(tag_read_id)s, 'waiting', %(plate_text)s, %(plate_colour)s, %(class_seen)s, %(epc)s,
        %(is_late)s, %(now)s)
ON CONFLICT (id) DO NOTHING;

-- name: lock_crossing
-- Hold a crossing until the transaction ends, if it lies in the caller's scope.
SELECT crossing.id
  FROM toll_crossing AS crossing
  INNER JOIN toll_station AS station ON station.id = crossing.station_id
 WHERE crossing.id = %(crossing_id)s::uuid
   AND (%(scope)s::text[] IS NULL OR station.site_id = any(%(scope)s::text[]))
   FOR NO KEY UPDATE OF crossing;

-- name: delete_waiting_crossing
-- A crossing that still waited, without any history, goes into the one that its event belongs to.
DELETE FROM toll_crossing
 WHERE id = %(crossing_id)s::uuid
   AND state = 'waiting';

-- name: join_events
-- A crossing gets the event that it lacked; its time becomes that of the passage.
UPDATE toll_crossing
   SET crossed_at = %(crossed_at)s,
       booked_on = %(booked_on)s,
       passage_id = %(passage_id)s::uuid,
       tag_read_id = %(tag_read_id)s::uuid,
       plate_text = %(plate_text)s,
       plate_colour = %(plate_colour)s,
       class_seen = %(class_seen)s,
       epc = %(epc)s,
       is_late = %(is_late)s
 WHERE id = %(crossing_id)s::uuid;

-- name: update_decision
-- What became of a crossing.
UPDATE toll_crossing
   SET state = %(state)s,
       reason = %(reason)s,
       vehicle_id = coalesce(%(vehicle_id)s::uuid, vehicle_id),
       account_number = coalesce(%(account_number)s::text, account_number),
       vehicle_group = %(vehicle_group)s::smallint,
       tariff_id = %(tariff_id)s::uuid,
       amount_dong = %(amount_dong)s::bigint,
       ledger_entry_id = %(ledger_entry_id)s::bigint,
       facts = %(facts)s,
       version = version + 1,
       decided_at = %(now)s,
       decided_by = %(actor)s
 WHERE id = %(crossing_id)s::uuid;

-- name: update_refund
-- A charged crossing was given back; it stays charged, as its day was closed so.
UPDATE toll_crossing
   SET refund_entry_id = %(refund_entry_id)s::bigint,
       version = version + 1
 WHERE id = %(crossing_id)s::uuid;

-- name: insert_event
-- Write down what happened to a crossing.
INSERT INTO toll_crossing_event (crossing_id, occurred_at, state, reason, actor, note)
VALUES (%(crossing_id)s, %(now)s, %(state)s, %(reason)s, %(actor)s, %(note)s);

-- name: select_events
-- What happened to a crossing, oldest first.
SELECT occurred_at, state, reason, actor, note
  FROM toll_crossing_event
 WHERE crossing_id = %(crossing_id)s::uuid
 ORDER BY id
 LIMIT %(rows_max)s;

-- name: select_bindings
-- Accounts on which a tag was live at a time. For deciding, which knows no caller.
SELECT tag.account_number, account.state AS account_state, account.is_priority,
       account.provider, tag.vehicle_id, tag.valid_from
  FROM toll_tag AS tag
  INNER JOIN toll_account AS account ON account.number = tag.account_number
 WHERE tag.epc = %(epc)s
   AND tag.valid_from <= %(near_at)s
   AND (tag.valid_until IS NULL OR %(near_at)s < tag.valid_until)
 ORDER BY tag.account_number, tag.valid_from
 LIMIT %(rows_max)s;

-- name: select_tariffs
-- Prices of a station on a day, by group.
SELECT id, vehicle_group, price_dong, valid_from, valid_until, legal_reference, confidence
  FROM toll_tariff
 WHERE station_id = %(station_id)s
   AND valid_from <= %(day)s
   AND (valid_until IS NULL OR %(day)s < valid_until)
 ORDER BY vehicle_group
 LIMIT %(rows_max)s;

-- name: select_tariff
-- One price.
SELECT id, vehicle_group, price_dong, valid_from, valid_until, legal_reference, confidence
  FROM toll_tariff
 WHERE id = %(tariff_id)s::uuid;

-- name: select_account_state
-- State of a traffic account; its money is in the ledger.
SELECT state
  FROM toll_account
 WHERE number = %(account_number)s;

-- name: select_crossing
-- One crossing, if its station lies in the caller's scope.
SELECT crossing.id, crossing.station_id, crossing.lane_number, crossing.crossed_at,
       crossing.booked_on, crossing.passage_id, crossing.tag_read_id, crossing.state,
       crossing.reason, crossing.plate_text, crossing.plate_colour, crossing.class_seen,
       crossing.epc, crossing.vehicle_id, crossing.account_number, crossing.vehicle_group,
       crossing.tariff_id, crossing.amount_dong, crossing.ledger_entry_id,
       crossing.refund_entry_id, crossing.facts, crossing.is_late, crossing.version,
       crossing.created_at, crossing.decided_at,
       crossing.decided_by, station.name AS station_name, station.is_expressway
  FROM toll_crossing AS crossing
  INNER JOIN toll_station AS station ON station.id = crossing.station_id
 WHERE crossing.id = %(crossing_id)s::uuid
   AND (%(scope)s::text[] IS NULL OR station.site_id = any(%(scope)s::text[]));

-- name: search_crossings
-- One page of crossings, newest first.
SELECT crossing.id, crossing.station_id, crossing.lane_number, crossing.crossed_at,
       crossing.booked_on, crossing.passage_id, crossing.tag_read_id, crossing.state,
       crossing.reason, crossing.plate_text, crossing.plate_colour, crossing.class_seen,
       crossing.epc, crossing.vehicle_id, crossing.account_number, crossing.vehicle_group,
       crossing.tariff_id, crossing.amount_dong, crossing.ledger_entry_id,
       crossing.refund_entry_id, crossing.facts, crossing.is_late, crossing.version,
       crossing.created_at, crossing.decided_at,
       crossing.decided_by, station.name AS station_name, station.is_expressway
  FROM toll_crossing AS crossing
  INNER JOIN toll_station AS station ON station.id = crossing.station_id
 WHERE (%(scope)s::text[] IS NULL OR station.site_id = any(%(scope)s::text[]))
   AND (%(station_id)s::text IS NULL OR crossing.station_id = %(station_id)s)
   AND (%(day)s::date IS NULL OR crossing.booked_on = %(day)s)
   AND (
     %(day)s::date IS NULL
     OR crossing.crossed_at BETWEEN %(day_from)s::timestamptz AND %(day_until)s::timestamptz
   )
   AND (%(state)s::text IS NULL OR crossing.state = %(state)s)
   AND (
     %(after_at)s::timestamptz IS NULL
     OR (crossing.crossed_at, crossing.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
   )
 ORDER BY crossing.crossed_at DESC, crossing.id DESC
 LIMIT %(rows_max)s;

-- name: select_next_in_review
-- The crossing that has waited longest for a person, other than one.
SELECT crossing.id
  FROM toll_crossing AS crossing
  INNER JOIN toll_station AS station ON station.id = crossing.station_id
 WHERE crossing.state = 'review'
   AND (%(scope)s::text[] IS NULL OR station.site_id = any(%(scope)s::text[]))
   AND crossing.id <> %(crossing_id)s::uuid
 ORDER BY crossing.crossed_at, crossing.id
 LIMIT 1;

-- name: select_crossings_of_vehicle
-- Newest crossings of one vehicle, in the caller's scope.
SELECT crossing.id, crossing.station_id, crossing.lane_number, crossing.crossed_at,
       crossing.booked_on, crossing.passage_id, crossing.tag_read_id, crossing.state,
       crossing.reason, crossing.plate_text, crossing.plate_colour, crossing.class_seen,
       crossing.epc, crossing.vehicle_id, crossing.account_number, crossing.vehicle_group,
       crossing.tariff_id, crossing.amount_dong, crossing.ledger_entry_id,
       crossing.refund_entry_id, crossing.facts, crossing.is_late, crossing.version,
       crossing.created_at, crossing.decided_at,
       crossing.decided_by, station.name AS station_name, station.is_expressway
  FROM toll_crossing AS crossing
  INNER JOIN toll_station AS station ON station.id = crossing.station_id
 WHERE crossing.vehicle_id = %(vehicle_id)s::uuid
   AND (%(scope)s::text[] IS NULL OR station.site_id = any(%(scope)s::text[]))
 ORDER BY crossing.crossed_at DESC, crossing.id DESC
 LIMIT %(rows_max)s;

-- name: select_station_days
-- Every station in the caller's scope with its numbers of one day so far.
SELECT station.id, station.name, station.kind, station.is_expressway,
       count(crossing.id) AS crossings,
       count(*) FILTER (WHERE crossing.state = 'charged') AS charged,
       coalesce(sum(crossing.amount_dong) FILTER (WHERE crossing.state = 'charged'), 0)::bigint
         AS charged_dong,
       count(*) FILTER (WHERE crossing.state IN ('exempt', 'waived')) AS exempt,
       count(*) FILTER (WHERE crossing.state = 'refused') AS refused,
       count(*) FILTER (WHERE crossing.state = 'review') AS review,
       count(*) FILTER (WHERE crossing.state = 'waiting') AS waiting
  FROM toll_station AS station
  LEFT JOIN toll_crossing AS crossing
    ON crossing.station_id = station.id
   AND crossing.booked_on = %(day)s
 WHERE (%(scope)s::text[] IS NULL OR station.site_id = any(%(scope)s::text[]))
 GROUP BY station.id
 ORDER BY station.name, station.id
 LIMIT %(rows_max)s;

-- name: select_bindings_of_vehicle
-- Accounts that pay for a vehicle by a live tag. For deciding, which knows no caller.
SELECT tag.account_number, account.state AS account_state, account.is_priority,
       account.provider, tag.vehicle_id, tag.valid_from
  FROM toll_tag AS tag
  INNER JOIN toll_account AS account ON account.number = tag.account_number
 WHERE tag.vehicle_id = %(vehicle_id)s::uuid
   AND tag.valid_from <= %(near_at)s
   AND (tag.valid_until IS NULL OR %(near_at)s < tag.valid_until)
 ORDER BY tag.account_number, tag.valid_from
 LIMIT %(rows_max)s;
