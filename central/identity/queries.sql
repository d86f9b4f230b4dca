-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: insert_user
-- Make a user; a taken name is left alone.
INSERT INTO app_user (username, display_name, password_hash, role, created_at)
VALUES (%(username)s, %(display_name)s, %(password_hash)s, %(role)s, %(now)s)
ON CONFLICT (username) DO NOTHING
RETURNING id;

-- name: lock_account
-- A user with password hash and failures, locked so that parallel guesses are all counted.
SELECT app_user.id, app_user.username, app_user.display_name, app_user.role, app_user.unit_id,
       app_user_scope.site_ids, app_user.password_hash, app_user.enabled, app_user.failed_logins,
       app_user.login_allowed_at
  FROM app_user
  INNER JOIN app_user_scope ON app_user_scope.user_id = app_user.id
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

-- name: update_password
-- Replace a password and forget the failures.
UPDATE app_user
   SET password_hash = %(password_hash)s, failed_logins = 0, login_allowed_at = NULL
 WHERE username = %(username)s
RETURNING id;

-- name: insert_session
-- Open a session.
INSERT INTO app_session (token_hash, user_id, created_at, last_used_at, expires_at)
VALUES (%(token_hash)s, %(user_id)s, %(now)s, %(now)s, %(expires_at)s);

-- name: select_session_user
-- The user of a session that is neither expired nor idle for too long.
SELECT app_user.id, app_user.username, app_user.display_name, app_user.role, app_user.unit_id,
       app_user_scope.site_ids, app_session.last_used_at
  FROM app_session
  INNER JOIN app_user ON app_user.id = app_session.user_id
  INNER JOIN app_user_scope ON app_user_scope.user_id = app_user.id
 WHERE app_session.token_hash = %(token_hash)s
   AND app_session.expires_at > %(now)s
   AND app_session.last_used_at > %(used_after)s
   AND app_user.enabled;

-- name: touch_session
-- Record that a session was used.
UPDATE app_session
   SET last_used_at = %(now)s
 WHERE token_hash = %(token_hash)s;

-- name: delete_session
-- End one session.
DELETE FROM app_session
 WHERE token_hash = %(token_hash)s;

-- name: delete_sessions_of_user
-- End every session of a user, as after a new password.
DELETE FROM app_session
 WHERE user_id = %(user_id)s;

-- name: delete_dead_sessions
-- Remove sessions that can't be used any more.
DELETE FROM app_session
 WHERE expires_at <= %(now)s
    OR last_used_at <= %(used_after)s;

-- name: select_users
-- Every user, by name; administrators see all of them, so there is no scope.
SELECT username, display_name, role, enabled, last_login_at, unit_id, reach,
       array(
         SELECT app_user_area.group_id::text
           FROM app_user_area
          WHERE app_user_area.user_id = app_user.id
          ORDER BY app_user_area.group_id
       ) AS area_ids
  FROM app_user
 ORDER BY username
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
