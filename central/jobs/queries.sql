-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The queue belongs to the whole centre and holds ids only; these queries take no scope.

-- name: count_failed_jobs
-- Jobs that were given up, by kind.
SELECT task_name AS task, count(*) AS failed, max(id) AS newest_id
  FROM procrastinate_jobs
 WHERE status = 'failed'
 GROUP BY task_name
 ORDER BY task_name
 LIMIT %(rows_max)s;

-- name: select_failed_jobs
-- The newest jobs that were given up.
SELECT id, task_name AS task, args AS arguments, attempts
  FROM procrastinate_jobs
 WHERE status = 'failed'
 ORDER BY id DESC
 LIMIT %(rows_max)s;

-- name: retry_failed_job
-- Queue a job that was given up again, and name it; nothing when no such job was given up.
WITH given_up AS (
  SELECT id, task_name
    FROM procrastinate_jobs
   WHERE id = %(job_id)s::bigint
     AND status = 'failed'
)
SELECT given_up.task_name
  FROM given_up
  CROSS JOIN LATERAL procrastinate_retry_job_v2(given_up.id, now(), NULL, NULL, NULL);

-- name: compress_old_chunks
-- Compress old chunks; how many, or nothing where the server's licence does not allow it.
SELECT compress_old_chunks(%(older_than)s);
