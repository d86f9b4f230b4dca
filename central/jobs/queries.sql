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

-- name: lock_stalled_jobs
-- Jobs that workers hold of which nothing was heard, locked until the commit. Those that another
-- process is putting back right now are left to it.
SELECT jobs.id, jobs.task_name AS task, jobs.attempts
  FROM procrastinate_jobs AS jobs
 WHERE jobs.status = 'doing'
   AND NOT EXISTS (
     SELECT 1
       FROM procrastinate_workers AS workers
      WHERE workers.id = jobs.worker_id
        AND workers.last_heartbeat >= now() - make_interval(secs => %(dead_after_s)s)
   )
 ORDER BY jobs.id
 LIMIT %(rows_max)s
   FOR NO KEY UPDATE OF jobs SKIP LOCKED;

-- name: put_back_job
-- Queue a job again.
SELECT procrastinate_retry_job_v2(%(job_id)s::bigint, now(), NULL, NULL, NULL);

-- name: remove_job
-- Forget a job that a dead worker held.
SELECT procrastinate_finish_job_v1(
  %(job_id)s::bigint, 'failed'::procrastinate_job_status, TRUE
);

-- name: give_up_job
-- Keep a job as failed.
SELECT procrastinate_finish_job_v1(
  %(job_id)s::bigint, 'failed'::procrastinate_job_status, FALSE
);

-- name: compress_old_chunks
-- Compress old chunks; how many, or nothing where the server's licence does not allow it.
SELECT compress_old_chunks(%(older_than)s);
