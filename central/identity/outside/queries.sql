-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: delete_expired_outside_logins
-- Forget logins that never came back from the provider.
DELETE FROM outside_login
 WHERE expires_at <= %(now)s;

-- name: count_outside_logins
-- How many logins are on their way.
SELECT count(*)
  FROM outside_login;

-- name: insert_outside_login
-- Remember a login that goes to the provider.
INSERT INTO outside_login
  (token_hash, state, nonce, code_verifier, next_path, linking_user_id, expires_at)
VALUES
  (
    %(token_hash)s, %(state)s, %(nonce)s, %(code_verifier)s, %(next_path)s, %(linking_user_id)s,
    %(expires_at)s
  );

-- name: take_outside_login
-- Take a login that came back; whoever brings the same token again finds nothing.
DELETE FROM outside_login
 WHERE token_hash = %(token_hash)s
RETURNING state, nonce, code_verifier, next_path, linking_user_id, expires_at > %(now)s AS is_fresh;

-- name: select_outside_user
-- Whose account an outside account opens, and whether the role asks for a second factor.
SELECT app_user.username,
       coalesce(role_rule.needs_second_factor, FALSE) AS needs_second_factor
  FROM outside_identity
  INNER JOIN app_user ON app_user.id = outside_identity.user_id
  LEFT JOIN role_rule ON role_rule.role = app_user.role
 WHERE outside_identity.issuer = %(issuer)s
   AND outside_identity.subject = %(subject)s;

-- name: insert_outside_identity
-- Link an outside account; nothing happens when it or the user is linked already.
INSERT INTO outside_identity (issuer, subject, user_id, linked_at)
VALUES (%(issuer)s, %(subject)s, %(user_id)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING user_id;

-- name: select_outside_link
-- The outside account of one provider that opens a user's account.
SELECT issuer, linked_at
  FROM outside_identity
 WHERE user_id = %(user_id)s
   AND issuer = %(issuer)s;

-- name: delete_outside_identities
-- Take every outside account from a user.
DELETE FROM outside_identity
 WHERE user_id = %(user_id)s;

-- name: end_outside_sessions
-- End a user's sessions that an outside account opened.
DELETE FROM app_session
 WHERE user_id = %(user_id)s
   AND proof IN ('outside', 'outside_two_factors');

-- name: select_user_id
-- The user of a name; only commands and administrators ask.
SELECT id
  FROM app_user
 WHERE username = %(username)s;
