-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: select_overview
-- What somebody has besides the password; the own user is the scope.
SELECT (
         SELECT one_time_secret.confirmed_at
           FROM one_time_secret
          WHERE one_time_secret.user_id = %(user_id)s
       ) AS app_added_at,
       (
         SELECT count(*)
           FROM recovery_code
          WHERE recovery_code.user_id = %(user_id)s
       ) AS recovery_codes_left,
       (
         SELECT count(*)
           FROM security_key
          WHERE security_key.user_id = %(user_id)s
       ) AS security_keys;

-- name: lock_secret
-- The secret of somebody's app, locked so that one code can't be used twice at once.
SELECT sealed, created_at, confirmed_at, last_step
  FROM one_time_secret
 WHERE user_id = %(user_id)s
   FOR UPDATE;

-- name: put_secret
-- Keep a new secret that is not confirmed yet; one that is confirmed is left alone.
INSERT INTO one_time_secret (user_id, sealed, created_at)
VALUES (%(user_id)s, %(sealed)s, %(now)s)
ON CONFLICT (user_id) DO UPDATE
   SET sealed = excluded.sealed, created_at = excluded.created_at, last_step = 0
 WHERE one_time_secret.confirmed_at IS NULL
RETURNING user_id;

-- name: confirm_secret
-- From now on codes of this app are asked for.
UPDATE one_time_secret
   SET confirmed_at = %(now)s, last_step = %(step)s
 WHERE user_id = %(user_id)s;

-- name: use_step
-- Remember the newest time step of which a code was taken.
UPDATE one_time_secret
   SET last_step = %(step)s
 WHERE user_id = %(user_id)s
   AND last_step < %(step)s;

-- name: delete_secret
-- Forget somebody's app.
DELETE FROM one_time_secret
 WHERE user_id = %(user_id)s;

-- name: delete_recovery_codes
-- Forget all recovery codes of somebody.
DELETE FROM recovery_code
 WHERE user_id = %(user_id)s;

-- name: insert_recovery_codes
-- Keep the hashes of new recovery codes.
INSERT INTO recovery_code (user_id, code_hash, created_at)
SELECT %(user_id)s, made.code_hash, %(now)s
  FROM unnest(%(code_hashes)s::bytea[]) AS made (code_hash);

-- name: use_recovery_code
-- Take a recovery code, which is gone with that.
DELETE FROM recovery_code
 WHERE user_id = %(user_id)s
   AND code_hash = %(code_hash)s
RETURNING user_id;

-- name: select_roles_that_need
-- Roles whose holders must have a second factor; roles belong to no site, so there is no scope.
SELECT role
  FROM role_rule
 WHERE needs_second_factor
 ORDER BY role;

-- name: put_rule
-- Say whether a role needs a second factor.
INSERT INTO role_rule (role, needs_second_factor)
VALUES (%(role)s, %(needs_second_factor)s)
ON CONFLICT (role) DO UPDATE
   SET needs_second_factor = excluded.needs_second_factor;

-- name: delete_security_keys
-- Forget all security keys of somebody.
DELETE FROM security_key
 WHERE user_id = %(user_id)s;
