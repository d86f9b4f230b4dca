-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: select_keys
-- A user's keys, oldest first; the own user is the scope.
SELECT id, name, created_at, last_used_at
  FROM security_key
 WHERE user_id = %(user_id)s
 ORDER BY created_at, id
 LIMIT %(rows_max)s;

-- name: select_credential_ids
-- How a user's keys are called by browsers.
SELECT credential_id
  FROM security_key
 WHERE user_id = %(user_id)s
 ORDER BY created_at, id
 LIMIT %(rows_max)s;

-- name: select_handle
-- Name of a user towards keys, which says nothing.
SELECT handle
  FROM app_user
 WHERE id = %(user_id)s;

-- name: insert_key
-- Keep a new key; one that is kept already is left alone.
INSERT INTO security_key (credential_id, user_id, public_key, sign_count, name, created_at)
VALUES
  (%(credential_id)s, %(user_id)s, %(public_key)s, %(sign_count)s, %(name)s, %(now)s)
ON CONFLICT (credential_id) DO NOTHING
RETURNING id;

-- name: lock_key
-- One of a user's keys, locked so that one counter can't be used twice at once.
SELECT id, credential_id, public_key, sign_count
  FROM security_key
 WHERE credential_id = %(credential_id)s
   AND user_id = %(user_id)s
   FOR UPDATE;

-- name: use_key
-- Remember a key's counter and that it opened a session.
UPDATE security_key
   SET sign_count = %(sign_count)s, last_used_at = %(now)s
 WHERE id = %(key_id)s;

-- name: rename_key
-- Call one of a user's keys something else.
UPDATE security_key
   SET name = %(name)s
 WHERE id = %(key_id)s
   AND user_id = %(user_id)s;

-- name: delete_key
-- Forget one of a user's keys.
DELETE FROM security_key
 WHERE id = %(key_id)s
   AND user_id = %(user_id)s;
