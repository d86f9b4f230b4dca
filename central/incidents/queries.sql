-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: select_incidents
-- One page of incidents as their newest tellings say, open ones first, then the newest. Nothing is
-- captured before its incident began, so that the index by site and capture time bounds the search.
WITH newest AS (
  SELECT DISTINCT ON (report.incident_id)
         report.incident_id AS id, report.kind, report.phase, report.began_at,
         report.captured_at AS told_at, report.site_id, site.name AS site_name, report.camera_id,
         coalesce(camera.name, report.camera_id) AS camera_name, report.lane, report.confidence
    FROM site
    INNER JOIN incident_report AS report ON report.site_id = site.id
    LEFT JOIN camera ON camera.site_id = report.site_id AND camera.id = report.camera_id
   WHERE (%(scope)s::text[] IS NULL OR site.id = any(%(scope)s::text[]))
     AND report.captured_at >= %(since)s
   ORDER BY report.incident_id ASC, report.captured_at DESC, report.phase = 'ended' DESC,
            report.id DESC
), page AS (
  SELECT *
    FROM newest
   WHERE began_at >= %(since)s
     AND began_at < %(until)s
     AND (%(kinds)s::text[] IS NULL OR kind = any(%(kinds)s::text[]))
     AND (
       %(states)s::text[] IS NULL
       OR CASE phase WHEN 'ended' THEN 'ended' ELSE 'open' END = any(%(states)s::text[])
     )
     AND (
       %(after_at)s::timestamptz IS NULL
       OR (phase <> 'ended', began_at, id)
          < (%(after_is_open)s::boolean, %(after_at)s::timestamptz, %(after_id)s::uuid)
     )
   ORDER BY phase <> 'ended' DESC, began_at DESC, id DESC
   LIMIT %(rows_max)s
)
SELECT page.id, page.kind, page.phase, page.began_at, page.told_at, page.site_id, page.site_name,
       page.camera_id, page.camera_name, page.lane, page.confidence,
       (
         SELECT encode(evidence.sha256, 'hex')
           FROM incident_report AS report
           INNER JOIN evidence ON evidence.sha256 = any(report.pictures)
          WHERE report.incident_id = page.id
          ORDER BY report.captured_at, evidence.sha256
          LIMIT 1
       ) AS picture_sha256
  FROM page
 ORDER BY page.phase <> 'ended' DESC, page.began_at DESC, page.id DESC;

-- name: count_open_incidents
-- How many incidents that began lately are not over, as their newest tellings say.
SELECT count(*)
  FROM (
    SELECT DISTINCT ON (report.incident_id) report.phase, report.began_at
      FROM site
      INNER JOIN incident_report AS report ON report.site_id = site.id
     WHERE (%(scope)s::text[] IS NULL OR site.id = any(%(scope)s::text[]))
       AND report.captured_at >= %(since)s
     ORDER BY report.incident_id ASC, report.captured_at DESC, report.phase = 'ended' DESC,
              report.id DESC
  ) AS newest
 WHERE newest.phase <> 'ended'
   AND newest.began_at >= %(since)s;

-- name: select_incident
-- One incident as its newest telling says, if its site lies in the caller's scope.
SELECT newest.incident_id AS id, newest.kind, newest.phase, newest.began_at,
       newest.captured_at AS told_at, newest.site_id, site.name AS site_name, newest.camera_id,
       coalesce(camera.name, newest.camera_id) AS camera_name, newest.lane, newest.confidence,
       (
         SELECT encode(evidence.sha256, 'hex')
           FROM incident_report AS report
           INNER JOIN evidence ON evidence.sha256 = any(report.pictures)
          WHERE report.incident_id = newest.incident_id
          ORDER BY report.captured_at, evidence.sha256
          LIMIT 1
       ) AS picture_sha256
  FROM incident_report AS newest
  INNER JOIN site ON site.id = newest.site_id
  LEFT JOIN camera ON camera.site_id = newest.site_id AND camera.id = newest.camera_id
 WHERE newest.incident_id = %(incident_id)s
   AND (%(scope)s::text[] IS NULL OR newest.site_id = any(%(scope)s::text[]))
 ORDER BY newest.captured_at DESC, newest.phase = 'ended' DESC, newest.id DESC
 LIMIT 1;

-- name: select_incident_reports
-- Tellings of one incident at sites of the caller's scope, newest first.
SELECT id, phase, captured_at, stored_at, is_late, device_id, confidence
  FROM incident_report
 WHERE incident_id = %(incident_id)s
   AND (%(scope)s::text[] IS NULL OR site_id = any(%(scope)s::text[]))
 ORDER BY captured_at DESC, phase = 'ended' DESC, id DESC
 LIMIT %(rows_max)s;

-- name: select_incident_pictures
-- Pictures that tellings name, in the tellings' order, with what became of each. No scope: the
-- tellings were chosen within it.
SELECT report.id AS report_id, encode(named.sha256, 'hex') AS sha256,
       evidence.sha256 IS NOT NULL AS is_stored,
       (
         SELECT notice.fate
           FROM evidence_notice AS notice
          WHERE notice.sha256 = named.sha256 AND notice.event_id = report.id
          ORDER BY notice.captured_at DESC, notice.id DESC
          LIMIT 1
       ) AS fate
  FROM incident_report AS report
  CROSS JOIN LATERAL unnest(report.pictures) WITH ORDINALITY AS named (sha256, place)
  LEFT JOIN evidence ON evidence.sha256 = named.sha256
 WHERE report.id = any(%(report_ids)s::uuid[])
 ORDER BY report.id, named.place;
