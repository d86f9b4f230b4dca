-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: search_passages
-- One page of passages, newest first. Parts of the filter that are NULL fall away when the query
-- is planned, so the plan fits the filter. plate_text <> '' lets partial indexes be used, and a
-- pattern is asked of the folded key, too, because the index is on that. How many plates fit a
-- pattern is guessed badly: asked for more rows than the page has, the database takes the index of
-- patterns for rare ones, and goes back in time for common ones only.
WITH fitting AS MATERIALIZED (
  SELECT *
    FROM passage
   WHERE (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
     AND (%(captured_from)s::timestamptz IS NULL OR captured_at >= %(captured_from)s)
     AND (%(captured_until)s::timestamptz IS NULL OR captured_at < %(captured_until)s)
     AND (%(site_ids)s::text[] IS NULL OR site_id = any(%(site_ids)s::text[]))
     AND (
       %(camera_ids)s::text[] IS NULL
       OR (
         site_id = any(%(camera_sites)s::text[])
         AND camera_id = any(%(camera_ids)s::text[])
         AND (site_id, camera_id) IN (
           SELECT wanted.site_id, wanted.camera_id
             FROM unnest(%(camera_sites)s::text[], %(camera_ids)s::text[])
                  AS wanted (site_id, camera_id)
         )
       )
     )
     AND (%(directions)s::text[] IS NULL OR direction = any(%(directions)s::text[]))
     AND (%(classes)s::text[] IS NULL OR vehicle_class = any(%(classes)s::text[]))
     AND (%(plate_exact)s::text IS NULL OR (plate_text = %(plate_exact)s AND plate_text <> ''))
     AND (
       %(plate_like)s::text IS NULL
       OR (
         plate_fold(plate_text) LIKE %(plate_folded)s
         AND plate_text LIKE %(plate_like)s
         AND plate_text <> ''
       )
     )
     AND (NOT %(only_unread)s::boolean OR plate_text = '')
     AND (
       %(after_at)s::timestamptz IS NULL
       OR (
         captured_at <= %(after_at)s
         AND (captured_at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
       )
     )
   ORDER BY captured_at DESC, id DESC
   LIMIT %(fitting_max)s
),

page AS (
  SELECT *
    FROM fitting
   ORDER BY captured_at DESC, id DESC
   LIMIT %(rows_max)s
)

SELECT page.id, page.captured_at, page.stored_at, page.site_id, site.name AS site_name,
       page.camera_id, camera.name AS camera_name, page.lane, page.direction,
       page.vehicle_class, page.vehicle_confidence, page.plate_text, page.plate_raw_text,
       page.plate_confidence,
       page.plate_is_legal, page.plate_layout, page.plate_colour, page.speed_kmh, page.is_late
  FROM page
  INNER JOIN site ON site.id = page.site_id
  INNER JOIN camera ON camera.site_id = page.site_id AND camera.id = page.camera_id
 ORDER BY page.captured_at DESC, page.id DESC;

-- name: count_passages
-- How many passages fit a filter, counting no further than the limit.
SELECT count(*)
  FROM (
    SELECT 1
      FROM passage
     WHERE (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
       AND (%(captured_from)s::timestamptz IS NULL OR captured_at >= %(captured_from)s)
       AND (%(captured_until)s::timestamptz IS NULL OR captured_at < %(captured_until)s)
       AND (%(site_ids)s::text[] IS NULL OR site_id = any(%(site_ids)s::text[]))
       AND (
         %(camera_ids)s::text[] IS NULL
         OR (
           site_id = any(%(camera_sites)s::text[])
           AND camera_id = any(%(camera_ids)s::text[])
           AND (site_id, camera_id) IN (
             SELECT wanted.site_id, wanted.camera_id
               FROM unnest(%(camera_sites)s::text[], %(camera_ids)s::text[])
                    AS wanted (site_id, camera_id)
           )
         )
       )
       AND (%(directions)s::text[] IS NULL OR direction = any(%(directions)s::text[]))
       AND (%(classes)s::text[] IS NULL OR vehicle_class = any(%(classes)s::text[]))
       AND (%(plate_exact)s::text IS NULL OR (plate_text = %(plate_exact)s AND plate_text <> ''))
       AND (
         %(plate_like)s::text IS NULL
         OR (
           plate_fold(plate_text) LIKE %(plate_folded)s
           AND plate_text LIKE %(plate_like)s
           AND plate_text <> ''
         )
       )
       AND (NOT %(only_unread)s::boolean OR plate_text = '')
     ORDER BY captured_at DESC
     LIMIT %(rows_max)s
  ) AS counted;

-- name: select_passage
-- One passage with everything the device told, if its site lies in the caller's scope.
SELECT passage.id, passage.captured_at, passage.stored_at, passage.site_id,
       site.name AS site_name, passage.camera_id, camera.name AS camera_name, passage.lane,
       passage.direction, passage.vehicle_class, passage.vehicle_confidence,
       passage.plate_text, passage.plate_confidence, passage.plate_is_legal,
       passage.plate_layout, passage.plate_colour, passage.speed_kmh, passage.is_late,
       passage.device_id, device_stream.outbox_id, passage.boot_id, passage.seq,
       passage.first_seen_at, passage.last_seen_at, passage.clock_source,
       passage.clock_error_ms, passage.frame_index, passage.frame_width_px,
       passage.frame_height_px, passage.vehicle_box_px, passage.plate_raw_text,
       passage.plate_char_confidences, passage.plate_alternatives, passage.plate_frames_read,
       passage.plate_box_px, passage.speed_uncertainty_kmh, passage.models
  FROM passage_identity
  INNER JOIN passage
    ON passage.captured_at = passage_identity.captured_at
   AND passage.id = passage_identity.id
  INNER JOIN device_stream ON device_stream.id = passage.stream_id
  INNER JOIN site ON site.id = passage.site_id
  INNER JOIN camera ON camera.site_id = passage.site_id AND camera.id = passage.camera_id
 WHERE passage_identity.id = %(passage_id)s
   AND (%(scope)s::text[] IS NULL OR passage.site_id = any(%(scope)s::text[]));

-- name: select_evidence_of_passages
-- Pictures named by passages whose keys the caller has already seen, scene before plate, and for
-- those that are not here why their device gave them up, if it did.
SELECT named.passage_id, named.kind, encode(named.sha256, 'hex') AS sha256,
       evidence.sha256 IS NOT NULL AS is_stored,
       CASE WHEN evidence.sha256 IS NULL THEN (
         SELECT notice.fate
           FROM evidence_notice AS notice
          WHERE notice.sha256 = named.sha256
            AND notice.event_id = named.passage_id
          ORDER BY notice.captured_at DESC, notice.id DESC
          LIMIT 1
       ) END AS fate
  FROM unnest(%(captured_ats)s::timestamptz[], %(passage_ids)s::uuid[])
       AS wanted (captured_at, passage_id)
  INNER JOIN passage_evidence AS named
    ON named.captured_at = wanted.captured_at
   AND named.passage_id = wanted.passage_id
  LEFT JOIN evidence ON evidence.sha256 = named.sha256
 WHERE named.captured_at BETWEEN %(captured_at_min)s AND %(captured_at_max)s
 ORDER BY named.passage_id ASC, named.kind DESC, named.sha256 ASC;

-- name: select_feed_position
-- Where the live feed ends at present.
SELECT coalesce(max(position), 0)
  FROM passage_feed;

-- name: select_feed_entries
-- What was stored after a position, in the order of the commits; holds keys only, the passages
-- are read within the caller's scope.
SELECT position, captured_ats, passage_ids
  FROM passage_feed
 WHERE position > %(position)s
 ORDER BY position
 LIMIT %(rows_max)s;

-- name: select_passages_by_key
-- Passages by their keys, as far as they lie in the caller's scope, in the order of the keys.
SELECT passage.id, passage.captured_at, passage.stored_at, passage.site_id,
       site.name AS site_name, passage.camera_id, camera.name AS camera_name, passage.lane,
       passage.direction, passage.vehicle_class, passage.vehicle_confidence,
       passage.plate_text, passage.plate_raw_text, passage.plate_confidence,
       passage.plate_is_legal,
       passage.plate_layout, passage.plate_colour, passage.speed_kmh, passage.is_late
  FROM unnest(%(captured_ats)s::timestamptz[], %(passage_ids)s::uuid[])
       WITH ORDINALITY AS wanted (captured_at, id, place)
  INNER JOIN passage ON passage.captured_at = wanted.captured_at AND passage.id = wanted.id
  INNER JOIN site ON site.id = passage.site_id
  INNER JOIN camera ON camera.site_id = passage.site_id AND camera.id = passage.camera_id
 WHERE passage.captured_at BETWEEN %(captured_at_min)s AND %(captured_at_max)s
   AND (%(scope)s::text[] IS NULL OR passage.site_id = any(%(scope)s::text[]))
 ORDER BY wanted.place;

-- name: delete_old_feed
-- Forget the live feed before a time, at most so many rows at once; what vehicle control has not
-- judged yet stays.
DELETE FROM passage_feed
 WHERE position IN (
         SELECT position
           FROM passage_feed
          WHERE stored_at < %(before)s
            AND judged_at IS NOT NULL
          ORDER BY stored_at
          LIMIT %(rows_max)s
       );

-- name: lock_unjudged_entry
-- What one commit stored, unless it was judged before; locked, so that it is judged once.
SELECT position, captured_ats, passage_ids
  FROM passage_feed
 WHERE position = %(position)s
   AND judged_at IS NULL
   FOR UPDATE;

-- name: mark_judged
-- Note that the passages of one commit were judged.
UPDATE passage_feed
   SET judged_at = %(now)s
 WHERE position = %(position)s;

-- name: select_unjudged_entries
-- Commits that should have been judged by now, oldest first.
SELECT position
  FROM passage_feed
 WHERE judged_at IS NULL
   AND stored_at < %(before)s
 ORDER BY position
 LIMIT %(rows_max)s;

-- name: count_unjudged_entries
-- How many commits wait to be judged, counting no further than the limit.
SELECT count(*)
  FROM (
    SELECT 1
      FROM passage_feed
     WHERE judged_at IS NULL
     ORDER BY position
     LIMIT %(rows_max)s
  ) AS counted;

-- name: loosen_similarity
-- How many groups of three characters must agree for a text to be a candidate, for this transaction
-- only: two misread characters of eight leave a fifth.
SELECT set_config('pg_trgm.similarity_threshold', %(threshold)s, TRUE);

-- name: select_similar_candidates
-- Keys of passages near a time whose plates share groups of characters with a text, the most alike
-- first; how easily one is read for the other is judged outside.
SELECT captured_at, id, plate_text
  FROM passage
 WHERE captured_at BETWEEN %(since)s AND %(until)s
   AND plate_text <> ''
   AND plate_text <> %(plate_text)s
   AND plate_fold(plate_text) %% plate_fold(%(plate_text)s) -- noqa: PRS
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
 ORDER BY similarity(plate_fold(plate_text), plate_fold(%(plate_text)s)) DESC, captured_at DESC,
          id ASC
 LIMIT %(rows_max)s;

-- name: select_alike_plates
-- Plates that are one of the texts, or whose folded key fits one of the patterns, each with its
-- newest passage; those that fit the pattern as it was typed first, then those that fit its folded
-- form, then the newest. Whichever of both is NULL falls away when the query is planned.
SELECT plate_text, count(*) AS passages, min(captured_at) AS first_at, max(captured_at) AS last_at,
       (array_agg(id ORDER BY captured_at DESC, id DESC))[1] AS last_id
  FROM passage
 WHERE captured_at >= %(since)s
   AND captured_at < %(until)s
   AND plate_text <> ''
   AND (%(texts)s::text[] IS NULL OR plate_text = any(%(texts)s::text[]))
   AND (
     %(patterns)s::text[] IS NULL OR plate_fold(plate_text) LIKE any(%(patterns)s::text[])
   )
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
   AND (%(site_ids)s::text[] IS NULL OR site_id = any(%(site_ids)s::text[]))
 GROUP BY plate_text
 ORDER BY plate_text LIKE %(plate_like)s DESC,
          plate_fold(plate_text) LIKE %(plate_folded)s DESC,
          last_at DESC, plate_text ASC
 LIMIT %(rows_max)s;

-- name: select_companions
-- Other plates that passed a site shortly before or after one plate did, at so many sites or more;
-- at most so many of its newest passages are looked around, and so many vehicles at each. That
-- limit also has the database look at each place by the index, and not join all of the table.
-- Bounds that depend on no passage leave chunks of other times out before anything is planned.
WITH own AS MATERIALIZED (
  SELECT site_id, captured_at, (captured_at AT TIME ZONE %(zone)s)::date AS day
    FROM passage
   WHERE plate_text = %(plate_text)s
     AND plate_text <> ''
     AND captured_at >= %(since)s
     AND captured_at < %(until)s
     AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
   ORDER BY captured_at DESC
   LIMIT %(passages_max)s
)

SELECT other.plate_text, count(DISTINCT own.site_id) AS sites,
       count(DISTINCT own.captured_at) AS meetings,
       count(DISTINCT own.day) AS days,
       min(other.captured_at) AS first_at, max(other.captured_at) AS last_at
  FROM own
  CROSS JOIN LATERAL (
    SELECT passage.plate_text, passage.captured_at
      FROM passage
     WHERE passage.site_id = own.site_id
       AND passage.captured_at >= own.captured_at - %(apart)s::interval
       AND passage.captured_at <= own.captured_at + %(apart)s::interval
       AND passage.captured_at >= %(since)s::timestamptz - %(apart)s::interval
       AND passage.captured_at < %(until)s::timestamptz + %(apart)s::interval
       AND passage.plate_text <> ''
       AND passage.plate_text <> %(plate_text)s
     ORDER BY passage.captured_at DESC
     LIMIT %(vehicles_max)s
  ) AS other
 GROUP BY other.plate_text
HAVING count(DISTINCT own.site_id) >= %(sites_min)s
 ORDER BY sites DESC, meetings DESC, last_at DESC, other.plate_text ASC
 LIMIT %(rows_max)s;
