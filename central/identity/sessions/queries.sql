-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: insert_session
-- Open a session.
INSERT INTO app_session
  (token_hash, user_id, created_at, last_used_at, expires_at, proof, client, browser)
VALUES
  (
    %(token_hash)s, %(user_id)s, %(now)s, %(now)s, %(expires_at)s, %(proof)s, %(client)s,
    %(browser)s
  );

-- name: delete_oldest_sessions
-- End a user's sessions beyond the newest ones; never the one just opened, however clocks of
-- several processes differ.
DELETE FROM app_session
 WHERE token_hash IN (
   SELECT token_hash
     FROM app_session
    WHERE user_id = %(user_id)s
    ORDER BY token_hash = %(added)s DESC, created_at DESC
   OFFSET %(kept)s
 );

-- name: select_sessions_of_user
-- A user's own sessions that are still good, newest use first; the own ones are the scope.
SELECT id, created_at, last_used_at, expires_at, proof, client, browser,
       token_hash = %(token_hash)s AS is_own
  FROM app_session
 WHERE user_id = %(user_id)s
   AND expires_at > %(now)s
   AND last_used_at > %(used_after)s
 ORDER BY last_used_at DESC, id DESC
 LIMIT %(rows_max)s;

-- name: delete_session_of_user
-- End one of a user's own sessions.
DELETE FROM app_session
 WHERE id = %(session_id)s
   AND user_id = %(user_id)s
RETURNING id;

-- name: delete_other_sessions
-- End every session of a user but one.
DELETE FROM app_session
 WHERE user_id = %(user_id)s
   AND token_hash <> %(token_hash)s;

-- name: select_session_user
-- The user of a session that is neither expired nor idle for too long. Who came in by a provider
-- did not use the first password, and perhaps showed a second factor there.
SELECT app_user.id, app_user.username, app_user.display_name, app_user.role, app_user.unit_id,
       app_user_scope.site_ids,
       CASE
         WHEN app_session.proof NOT IN ('outside', 'outside_two_factors')
           THEN app_user.first_password_until
       END AS first_password_until,
       coalesce(role_rule.needs_second_factor, FALSE)
       AND app_session.proof <> 'outside_two_factors' AS needs_second_factor,
       exists (
         SELECT 1 FROM one_time_secret
          WHERE one_time_secret.user_id = app_user.id AND one_time_secret.confirmed_at IS NOT NULL
         UNION ALL
         SELECT 1 FROM security_key WHERE security_key.user_id = app_user.id
       ) AS has_second_factor, app_session.last_used_at
  FROM app_session
  INNER JOIN app_user ON app_user.id = app_session.user_id
  INNER JOIN app_user_scope ON app_user_scope.user_id = app_user.id
  LEFT JOIN role_rule ON role_rule.role = app_user.role
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
-- End one session, and say how it was opened.
DELETE FROM app_session
 WHERE token_hash = %(token_hash)s
RETURNING proof;

-- name: delete_sessions_of_user
-- End every session and every waiting login of a user, as after a new password.
WITH waiting AS (
  DELETE FROM login_step
   WHERE user_id = %(user_id)s
)
DELETE FROM app_session
 WHERE user_id = %(user_id)s;

-- name: delete_dead_sessions
-- Remove sessions that can't be used any more.
DELETE FROM app_session
 WHERE expires_at <= %(now)s
    OR last_used_at <= %(used_after)s;

-- name: put_session_challenge
-- What a security key that is being added must sign; an earlier one is over.
UPDATE app_session
   SET challenge = %(challenge)s
 WHERE token_hash = %(token_hash)s;

-- name: take_session_challenge
-- Take the challenge of a session, which is gone with that.
WITH held AS (
  SELECT token_hash, challenge
    FROM app_session
   WHERE token_hash = %(token_hash)s
     FOR UPDATE
)
UPDATE app_session
   SET challenge = NULL
  FROM held
 WHERE app_session.token_hash = held.token_hash
RETURNING held.challenge;
