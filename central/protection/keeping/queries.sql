-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Retention concerns the whole province, so nothing here has a scope: jobs and commands do it, and
-- who may read its records is the permission protect_data.

-- name: select_due_span
-- The oldest span of a hypertable that has to be judged: all of it is old enough, and it was not
-- judged yet, or something in it has become due since.
SELECT chunk.range_start AS since, chunk.range_end AS until
  FROM timescaledb_information.chunks AS chunk
  LEFT JOIN retention_span AS judged_before
    ON judged_before.data = %(data)s
   AND judged_before.since = chunk.range_start
 WHERE chunk.hypertable_schema = 'public'
   AND chunk.hypertable_name = %(hypertable)s
   AND chunk.range_end <= %(old_before)s
   AND coalesce(judged_before.next_judged_at, '-infinity') <= %(now)s
 ORDER BY chunk.range_start
 LIMIT 1;

-- name: count_due_spans
-- How many spans of a hypertable have to be judged.
SELECT count(*)
  FROM timescaledb_information.chunks AS chunk
  LEFT JOIN retention_span AS judged_before
    ON judged_before.data = %(data)s
   AND judged_before.since = chunk.range_start
 WHERE chunk.hypertable_schema = 'public'
   AND chunk.hypertable_name = %(hypertable)s
   AND chunk.range_end <= %(old_before)s
   AND coalesce(judged_before.next_judged_at, '-infinity') <= %(now)s;

-- name: claim_span
-- Keep late writers out of a span until the commit.
SELECT claim_old_span(%(hypertable)s, %(since)s, %(until)s);

-- name: judge_passages
-- Why and until when each passage of a span is kept; of several reasons the one that lasts longest.
-- An alert that goes on counts as closed now.
INSERT INTO judged (captured_at, id, purpose, keep_until)
SELECT passage.captured_at, passage.id, reason.purpose, reason.keep_until
  FROM passage
  LEFT JOIN toll_crossing ON toll_crossing.passage_id = passage.id
  LEFT JOIN (
    SELECT sighting.passage_id,
           max(
             CASE
               WHEN alert.state <> 'closed' THEN %(now)s::timestamptz
               WHEN alert.closing_reason = any(%(pursued_reasons)s::text[]) THEN alert.closed_at
             END
           ) AS pursued_at
      FROM alert_sighting AS sighting
      LEFT JOIN alert ON alert.id = sighting.alert_id
     WHERE sighting.captured_at >= %(since)s
       AND sighting.captured_at < %(until)s
     GROUP BY sighting.passage_id
  ) AS sighted ON sighted.passage_id = passage.id
  CROSS JOIN LATERAL (
    SELECT each.purpose, each.keep_until
      FROM (
             VALUES
             ('unmatched', passage.captured_at + %(unmatched)s::interval),
             (
               'matched',
               CASE
                 WHEN sighted.passage_id IS NOT NULL
                   THEN passage.captured_at + %(matched)s::interval
               END
             ),
             ('pursued', sighted.pursued_at + %(pursued)s::interval),
             (
               'toll',
               CASE
                 WHEN toll_crossing.id IS NOT NULL
                   THEN passage.captured_at + %(toll)s::interval
               END
             )
           ) AS each (purpose, keep_until)
     WHERE each.keep_until IS NOT NULL
     ORDER BY each.keep_until DESC
     LIMIT 1
  ) AS reason
 WHERE passage.captured_at >= %(since)s
   AND passage.captured_at < %(until)s;

-- name: judge_tag_reads
-- The same for tag reads: a toll crossing keeps them, and nothing else does.
INSERT INTO judged (captured_at, id, purpose, keep_until)
SELECT tag_read.captured_at, tag_read.id,
       CASE WHEN toll_crossing.id IS NULL THEN 'unmatched' ELSE 'toll' END AS purpose,
       tag_read.captured_at + CASE
         WHEN toll_crossing.id IS NULL THEN %(unmatched)s::interval
         ELSE greatest(%(unmatched)s::interval, %(toll)s::interval)
       END AS keep_until
  FROM tag_read
  LEFT JOIN toll_crossing ON toll_crossing.tag_read_id = tag_read.id
 WHERE tag_read.captured_at >= %(since)s
   AND tag_read.captured_at < %(until)s;

-- name: sum_up_going
-- How many rows go, and the hash over their ids.
SELECT count(*) AS erased,
       encode(
         sha256(coalesce(string_agg(uuid_send(id), ''::bytea ORDER BY id), ''::bytea)), 'hex'
       ) AS ids_sha256
  FROM judged
 WHERE keep_until <= %(now)s;

-- name: sum_up_staying
-- How many rows stay, by purpose, and when the first of them goes.
SELECT purpose, count(*) AS rows_kept, min(keep_until) AS first_goes_at
  FROM judged
 WHERE keep_until > %(now)s
 GROUP BY purpose
 ORDER BY purpose;

-- name: release_pictures
-- Have the pictures erased of passages that go.
UPDATE evidence
   SET purpose = 'unmatched',
       erase_after = greatest(%(now)s, stored_at + interval '1 microsecond')
 WHERE sha256 IN (
         SELECT named.sha256
           FROM passage_evidence AS named
           INNER JOIN judged
             ON judged.captured_at = named.captured_at
            AND judged.id = named.passage_id
          WHERE judged.keep_until <= %(now)s
            AND named.captured_at >= %(since)s
            AND named.captured_at < %(until)s
       );

-- name: keep_pictures
-- Keep the pictures of passages that stay, for as long; also where such a picture shows a passage
-- that goes, too.
UPDATE evidence
   SET purpose = reason.purpose, erase_after = reason.keep_until
  FROM (
         SELECT DISTINCT ON (named.sha256) named.sha256, judged.purpose, judged.keep_until
           FROM passage_evidence AS named
           INNER JOIN judged
             ON judged.captured_at = named.captured_at
            AND judged.id = named.passage_id
          WHERE judged.keep_until > %(now)s
            AND named.captured_at >= %(since)s
            AND named.captured_at < %(until)s
          ORDER BY named.sha256 ASC, judged.keep_until DESC
       ) AS reason
 WHERE evidence.sha256 = reason.sha256
   AND (evidence.purpose, evidence.erase_after) IS DISTINCT FROM (reason.purpose, reason.keep_until)
   AND evidence.stored_at < reason.keep_until;

-- name: put_passages_aside
-- Copy the passages that stay.
INSERT INTO staying_passage
SELECT passage.* -- noqa: AM04
  FROM passage
  INNER JOIN judged ON judged.captured_at = passage.captured_at AND judged.id = passage.id
 WHERE judged.keep_until > %(now)s
   AND passage.captured_at >= %(since)s
   AND passage.captured_at < %(until)s;

-- name: put_named_pictures_aside
-- Copy the names of their pictures.
INSERT INTO staying_evidence
SELECT named.* -- noqa: AM04
  FROM passage_evidence AS named
  INNER JOIN judged ON judged.captured_at = named.captured_at AND judged.id = named.passage_id
 WHERE judged.keep_until > %(now)s
   AND named.captured_at >= %(since)s
   AND named.captured_at < %(until)s;

-- name: put_tag_reads_aside
-- Copy the tag reads that stay.
INSERT INTO staying_tag_read
SELECT tag_read.* -- noqa: AM04
  FROM tag_read
  INNER JOIN judged ON judged.captured_at = tag_read.captured_at AND judged.id = tag_read.id
 WHERE judged.keep_until > %(now)s
   AND tag_read.captured_at >= %(since)s
   AND tag_read.captured_at < %(until)s;

-- name: drop_span
-- Drop the chunks that lie within a span.
SELECT drop_old_span(%(hypertable)s, %(since)s, %(until)s);

-- name: delete_passages
-- Delete what is left of the passages of a span, or those of it that go.
DELETE FROM passage
 WHERE captured_at >= %(since)s
   AND captured_at < %(until)s
   AND (captured_at, id) IN (
     SELECT judged.captured_at, judged.id
       FROM judged
      WHERE %(is_all)s OR judged.keep_until <= %(now)s
   );

-- name: delete_named_pictures
-- Delete the names of their pictures.
DELETE FROM passage_evidence
 WHERE captured_at >= %(since)s
   AND captured_at < %(until)s
   AND (captured_at, passage_id) IN (
     SELECT judged.captured_at, judged.id
       FROM judged
      WHERE %(is_all)s OR judged.keep_until <= %(now)s
   );

-- name: delete_tag_reads
-- Delete what is left of the tag reads of a span, or those of it that go.
DELETE FROM tag_read
 WHERE captured_at >= %(since)s
   AND captured_at < %(until)s
   AND (captured_at, id) IN (
     SELECT judged.captured_at, judged.id
       FROM judged
      WHERE %(is_all)s OR judged.keep_until <= %(now)s
   );

-- name: count_due_alerts
-- How many closed alerts have outlived their purpose.
SELECT count(*)
  FROM alert
 WHERE alert.state = 'closed'
   AND alert.closed_at + CASE
     WHEN alert.closing_reason = any(%(pursued_reasons)s::text[])
       THEN greatest(%(matched)s::interval, %(pursued)s::interval)
     ELSE %(matched)s::interval
   END <= %(now)s
   AND NOT EXISTS (
     SELECT 1 FROM dossier WHERE dossier.code = alert.dossier_code AND dossier.ended_at IS NULL
   )
   AND NOT EXISTS (SELECT 1 FROM alert_feed WHERE alert_feed.alert_id = alert.id);

-- name: judge_alerts
-- Closed alerts that have outlived their purpose, those closed longest ago first; a dossier that
-- goes on keeps its alert, and a live page that may still be told of it.
INSERT INTO judged (captured_at, id, purpose, keep_until)
SELECT alert.closed_at, alert.id, reason.purpose, alert.closed_at + reason.keep AS keep_until
  FROM alert
  CROSS JOIN LATERAL (
    SELECT CASE
             WHEN alert.closing_reason = any(%(pursued_reasons)s::text[]) THEN 'pursued'
             ELSE 'matched'
           END AS purpose,
           CASE
             WHEN alert.closing_reason = any(%(pursued_reasons)s::text[])
               THEN greatest(%(matched)s::interval, %(pursued)s::interval)
             ELSE %(matched)s::interval
           END AS keep
  ) AS reason
 WHERE alert.state = 'closed'
   AND alert.closed_at + reason.keep <= %(now)s
   AND NOT EXISTS (
     SELECT 1 FROM dossier WHERE dossier.code = alert.dossier_code AND dossier.ended_at IS NULL
   )
   AND NOT EXISTS (SELECT 1 FROM alert_feed WHERE alert_feed.alert_id = alert.id)
 ORDER BY alert.closed_at, alert.id
 LIMIT %(rows_max)s;

-- name: judge_staying_alerts
-- Alerts that were closed between those that go, and stay. They are only counted: until when they
-- stay is found out anew every night.
INSERT INTO judged (captured_at, id, purpose, keep_until)
SELECT alert.closed_at, alert.id,
       CASE
         WHEN alert.closing_reason = any(%(pursued_reasons)s::text[]) THEN 'pursued'
         ELSE 'matched'
       END AS purpose,
       %(now)s::timestamptz + interval '1 day' AS keep_until
  FROM alert
 WHERE alert.state = 'closed'
   AND alert.closed_at >= %(since)s
   AND alert.closed_at < %(until)s
   AND NOT EXISTS (SELECT 1 FROM judged WHERE judged.id = alert.id);

-- name: select_judged_span
-- From when to before when the rows lie that go; nothing where none goes.
SELECT min(captured_at) AS since, max(captured_at) + interval '1 microsecond' AS until
  FROM judged;

-- name: delete_sightings
-- Erase the sightings of alerts that go.
DELETE FROM alert_sighting
 USING judged
 WHERE alert_sighting.alert_id = judged.id
   AND judged.keep_until <= %(now)s;

-- name: delete_alerts
-- Erase alerts that go, with their notes.
DELETE FROM alert
 USING judged
 WHERE alert.id = judged.id
   AND judged.keep_until <= %(now)s;

-- name: delete_lone_sightings
-- Erase sightings that came too late for an alert and have outlived their purpose.
DELETE FROM alert_sighting
 WHERE alert_id IS NULL
   AND captured_at <= %(now)s::timestamptz - %(matched)s::interval;

-- name: count_due_quarantine
-- How many settled messages are due; what was emptied before is not.
SELECT count(*)
  FROM quarantine
 WHERE resolved_at <= %(now)s::timestamptz - %(settled)s::interval
   AND (
     resolution = 'stored' OR seq IS NULL OR reason = 'seq_reused' OR octet_length(payload) > 0
   );

-- name: judge_quarantine
-- Settled messages that are due, those settled longest ago first; their number stands for an id.
INSERT INTO judged (captured_at, id, purpose, keep_until)
SELECT resolved_at, lpad(to_hex(id), 32, '0')::uuid AS id, 'settled' AS purpose,
       resolved_at + %(settled)s::interval AS keep_until
  FROM quarantine
 WHERE resolved_at <= %(now)s::timestamptz - %(settled)s::interval
   AND (
     resolution = 'stored' OR seq IS NULL OR reason = 'seq_reused' OR octet_length(payload) > 0
   )
 ORDER BY resolved_at, quarantine.id
 LIMIT %(rows_max)s;

-- name: delete_quarantine
-- Erase messages that explain no number: they became rows, had none, or had one in use.
DELETE FROM quarantine
 USING judged
 WHERE lpad(to_hex(quarantine.id), 32, '0')::uuid = judged.id
   AND judged.keep_until <= %(now)s
   AND (
     quarantine.resolution = 'stored'
     OR quarantine.seq IS NULL
     OR quarantine.reason = 'seq_reused'
   );

-- name: empty_quarantine
-- Erase what the others said; that they were dropped explains their numbers.
UPDATE quarantine
   SET payload = '', mended_payload = NULL, mend_note = NULL
  FROM judged
 WHERE lpad(to_hex(quarantine.id), 32, '0')::uuid = judged.id
   AND judged.keep_until <= %(now)s;

-- name: forget_judged_ids
-- Erase the ids of what goes and is too old to come again.
DELETE FROM passage_identity
 USING judged
 WHERE passage_identity.id = judged.id
   AND judged.keep_until <= %(now)s
   AND (
     passage_identity.captured_at < %(recordings_end)s
     OR (NOT passage_identity.is_recording AND passage_identity.captured_at < %(live_end)s)
   );

-- name: draw_id_walk_back
-- Where older events are admitted than before, what comes of their time is looked at again.
UPDATE event_id_walk
   SET walked_before = %(end_at)s
 WHERE is_recording = %(is_recording)s
   AND walked_before > %(end_at)s;

-- name: start_id_walk
-- The time of the first id that was not looked at.
SELECT min(captured_at)
  FROM passage_identity
 WHERE captured_at < %(end_at)s
   AND captured_at >= coalesce(
     (SELECT walked_before FROM event_id_walk WHERE is_recording = %(is_recording)s), '-infinity'
   );

-- name: select_walk_stop
-- The time of the id that comes after so many; none where fewer are left.
SELECT captured_at
  FROM passage_identity
 WHERE captured_at >= %(since)s
   AND captured_at < %(end_at)s
 ORDER BY captured_at
 LIMIT 1 OFFSET %(ids_max)s;

-- name: forget_walked_ids
-- Erase ids of a time, unless a passage or tag read is there and is found by them.
DELETE FROM passage_identity
 WHERE captured_at >= %(since)s
   AND captured_at < %(until)s
   AND coalesce(is_recording, TRUE) = %(is_recording)s
   AND NOT EXISTS (
     SELECT 1
       FROM passage
      WHERE passage.captured_at = passage_identity.captured_at
        AND passage.id = passage_identity.id
        AND passage.captured_at >= %(since)s
        AND passage.captured_at < %(until)s
   )
   AND NOT EXISTS (
     SELECT 1
       FROM tag_read
      WHERE tag_read.captured_at = passage_identity.captured_at
        AND tag_read.id = passage_identity.id
        AND tag_read.captured_at >= %(since)s
        AND tag_read.captured_at < %(until)s
   );

-- name: note_id_walk
-- Note how far the ids were looked at.
INSERT INTO event_id_walk (is_recording, walked_before)
VALUES (%(is_recording)s, %(until)s)
ON CONFLICT (is_recording)
DO UPDATE SET walked_before = excluded.walked_before;

-- name: put_passages_back
-- Put the passages back that stay.
INSERT INTO passage
SELECT staying_passage.* -- noqa: AM04
  FROM staying_passage;

-- name: put_named_pictures_back
-- Put the names of their pictures back.
INSERT INTO passage_evidence
SELECT staying_evidence.* -- noqa: AM04
  FROM staying_evidence;

-- name: put_tag_reads_back
-- Put the tag reads back that stay.
INSERT INTO tag_read
SELECT staying_tag_read.* -- noqa: AM04
  FROM staying_tag_read;

-- name: note_judged
-- Note that a span was judged, and when it has to be judged again.
INSERT INTO retention_span (data, since, until, judged_at, next_judged_at)
VALUES (%(data)s, %(since)s, %(until)s, %(now)s, %(next_judged_at)s)
ON CONFLICT (data, since)
DO UPDATE SET until = excluded.until, judged_at = excluded.judged_at,
              next_judged_at = excluded.next_judged_at;

-- name: release_strays
-- Have the pictures erased that no passage named although all from before they came are judged.
UPDATE evidence
   SET purpose = 'unmatched', erase_after = greatest(%(now)s, stored_at + interval '1 microsecond')
 WHERE purpose = 'passage'
   AND stored_at < least(
     %(old_before)s,
     (
       SELECT min(chunk.range_start)
         FROM timescaledb_information.chunks AS chunk
        WHERE chunk.hypertable_schema = 'public'
          AND chunk.hypertable_name = 'passage'
          AND NOT EXISTS (
            SELECT 1
              FROM retention_span
             WHERE retention_span.data = 'passages'
               AND retention_span.since = chunk.range_start
          )
     )
   ) - interval '1 day';

-- name: insert_record
-- Keep the record of an erasure.
INSERT INTO erasure_record
       (id, made_at, data, since, until, way, erased_count, picture_count, kept_counts, periods,
        ids_sha256, document_id)
VALUES (%(id)s, %(made_at)s, %(data)s, %(since)s, %(until)s, %(way)s, %(erased)s, %(pictures)s,
        %(kept)s, %(periods)s, decode(%(ids_sha256)s, 'hex'), %(document_id)s);

-- name: select_records
-- Records of erasures, newest first.
SELECT id, made_at, data, since, until, way, erased_count AS erased, picture_count AS pictures,
       kept_counts AS kept, periods, encode(ids_sha256, 'hex') AS ids_sha256
  FROM erasure_record
 WHERE %(before_id)s::uuid IS NULL
    OR (made_at, id) < (%(before_at)s::timestamptz, %(before_id)s::uuid)
 ORDER BY made_at DESC, id DESC
 LIMIT %(rows_max)s;

-- name: select_paper
-- The paper of a record.
SELECT document_id
  FROM erasure_record
 WHERE id = %(record_id)s;
