-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: insert_user
-- Make a user; a taken name is left alone.
INSERT INTO app_user
  (username, display_name, password_hash, role, created_at, first_password_until)
VALUES
  (
    %(username)s, %(display_name)s, %(password_hash)s, %(role)s, %(now)s,
    %(first_password_until)s
  )
ON CONFLICT (username) DO NOTHING
RETURNING id;

-- name: lock_account
-- A user with password hash and failures, locked so that parallel guesses are all counted.
SELECT app_user.id, app_user.username, app_user.display_name, app_user.role, app_user.unit_id,
       app_user_scope.site_ids, app_user.password_hash, app_user.enabled, app_user.failed_logins,
       app_user.login_allowed_at, app_user.first_password_until,
       coalesce(role_rule.needs_second_factor, FALSE) AS needs_second_factor,
       exists (
         SELECT 1 FROM one_time_secret
          WHERE one_time_secret.user_id = app_user.id AND one_time_secret.confirmed_at IS NOT NULL
         UNION ALL
         SELECT 1 FROM security_key WHERE security_key.user_id = app_user.id
       ) AS has_second_factor,
       exists (
         SELECT 1 FROM security_key WHERE security_key.user_id = app_user.id
       ) AS has_security_key
  FROM app_user
  INNER JOIN app_user_scope ON app_user_scope.user_id = app_user.id
  LEFT JOIN role_rule ON role_rule.role = app_user.role
 WHERE app_user.username = %(username)s
   FOR UPDATE OF app_user;

-- name: record_failure
-- Count a failed login and set when the next one is looked at.
UPDATE app_user
   SET failed_logins = failed_logins + 1, login_allowed_at = %(login_allowed_at)s
 WHERE id = %(user_id)s;

-- name: record_success
-- Forget the failures after a login that worked; a hash made with newer settings replaces the old.
UPDATE app_user
   SET failed_logins = 0, login_allowed_at = NULL, last_login_at = %(now)s,
       password_hash = coalesce(%(newer_hash)s::text, password_hash)
 WHERE id = %(user_id)s;

-- name: refresh_hash
-- A hash made with newer settings replaces the old one of the same password.
UPDATE app_user
   SET password_hash = %(newer_hash)s
 WHERE id = %(user_id)s;

-- name: update_password
-- Replace a password and forget the failures.
UPDATE app_user
   SET password_hash = %(password_hash)s, failed_logins = 0, login_allowed_at = NULL,
       first_password_until = %(first_password_until)s
 WHERE username = %(username)s
RETURNING id;

-- name: select_client_delay
-- Until when logins from an address wait.
SELECT login_allowed_at
  FROM login_client
 WHERE client = %(client)s;

-- name: count_client_failure
-- Count a failed login from an address; those of long ago are forgotten.
INSERT INTO login_client (client, failures, failed_at, login_allowed_at)
VALUES (%(client)s, 1, %(now)s, %(now)s)
ON CONFLICT (client) DO UPDATE
   SET failures = CASE
         WHEN login_client.failed_at < %(forgotten_before)s THEN 1
         ELSE login_client.failures + 1
       END,
       failed_at = excluded.failed_at
RETURNING failures;

-- name: delay_client
-- Let logins from an address wait.
UPDATE login_client
   SET login_allowed_at = %(login_allowed_at)s
 WHERE client = %(client)s;

-- name: delete_old_clients
-- Forget addresses that failed long ago.
DELETE FROM login_client
 WHERE failed_at < %(before)s;

-- name: select_users
-- Users by name, all of them or those that fit; administrators see all, so there is no scope.
SELECT app_user.id, app_user.username, app_user.display_name, app_user.role, app_user.enabled,
       app_user.last_login_at, app_user.unit_id, app_user.reach,
       array(
         SELECT app_user_area.group_id::text
           FROM app_user_area
          WHERE app_user_area.user_id = app_user.id
          ORDER BY app_user_area.group_id
       ) AS area_ids
  FROM app_user
 WHERE (%(user_id)s::bigint IS NULL OR app_user.id = %(user_id)s)
   AND (
     %(wanted)s::text IS NULL
     OR strpos(lower(app_user.username), lower(%(wanted)s)) > 0
     OR strpos(lower(app_user.display_name), lower(%(wanted)s)) > 0
   )
   AND (
     %(after_id)s::bigint IS NULL
     OR app_user.username > (
       SELECT before.username FROM app_user AS before WHERE before.id = %(after_id)s
     )
   )
 ORDER BY app_user.username
 LIMIT %(rows_max)s;

-- name: lock_administrators
-- Who may administrate, locked so that two changes at once can't leave nobody.
SELECT username
  FROM app_user
 WHERE role IN ('administrator', 'demonstrator')
   AND enabled
 ORDER BY id
 LIMIT %(rows_max)s
   FOR UPDATE;

-- name: switch_user
-- Let a user in or shut them out.
UPDATE app_user
   SET enabled = %(enabled)s
 WHERE username = %(username)s
RETURNING id;

-- name: update_role
-- Give a user another role; it holds from the next request on.
UPDATE app_user
   SET role = %(role)s
 WHERE username = %(username)s
RETURNING id;

-- name: update_place
-- Say how far a user sees and which unit the user belongs to.
UPDATE app_user
   SET unit_id = %(unit_id)s, reach = %(reach)s
 WHERE username = %(username)s
RETURNING id;

-- name: delete_user_areas
-- Take every area from a user.
DELETE FROM app_user_area
 WHERE user_id = %(user_id)s;

-- name: insert_user_areas
-- Give areas to a user.
INSERT INTO app_user_area (user_id, group_id)
SELECT %(user_id)s, given.group_id
  FROM unnest(%(area_ids)s::text[]) AS given (group_id);

-- name: insert_step
-- A login whose password was right waits for its second factor.
INSERT INTO login_step (token_hash, user_id, created_at, expires_at)
VALUES (%(token_hash)s, %(user_id)s, %(now)s, %(expires_at)s);

-- name: delete_oldest_steps
-- Forget a user's waiting logins beyond the newest ones; never the one just added, however
-- clocks of several processes differ.
DELETE FROM login_step
 WHERE token_hash IN (
   SELECT token_hash
     FROM login_step
    WHERE user_id = %(user_id)s
    ORDER BY token_hash = %(added)s DESC, created_at DESC
   OFFSET %(kept)s
 );

-- name: select_step_user
-- Whose login waits under a token.
SELECT app_user.id, app_user.username
  FROM login_step
  INNER JOIN app_user ON app_user.id = login_step.user_id
 WHERE login_step.token_hash = %(token_hash)s
   AND login_step.expires_at > %(now)s
   AND login_step.failures < %(failures_max)s;

-- name: count_step_failure
-- Count a wrong code.
UPDATE login_step
   SET failures = failures + 1
 WHERE token_hash = %(token_hash)s;

-- name: put_step_challenge
-- What a security key must sign for a waiting login; an earlier one is over.
UPDATE login_step
   SET challenge = %(challenge)s
 WHERE token_hash = %(token_hash)s;

-- name: take_step_challenge
-- Take the challenge of a waiting login, which is gone with that.
WITH waiting AS (
  SELECT token_hash, challenge
    FROM login_step
   WHERE token_hash = %(token_hash)s
     FOR UPDATE
)
UPDATE login_step
   SET challenge = NULL
  FROM waiting
 WHERE login_step.token_hash = waiting.token_hash
RETURNING waiting.challenge;

-- name: delete_step
-- A waiting login is over.
DELETE FROM login_step
 WHERE token_hash = %(token_hash)s;

-- name: delete_dead_steps
-- Remove waiting logins that can't go on any more.
DELETE FROM login_step
 WHERE expires_at <= %(now)s;
