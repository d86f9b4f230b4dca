-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Programs and keys belong to the whole province and are for administrators: no query has a scope.

-- name: insert_client
-- Let a program in; a taken name is left alone.
INSERT INTO api_client (name, purpose, permissions, site_ids, made_by, made_at)
VALUES (%(name)s, %(purpose)s, %(permissions)s::text[], %(site_ids)s::text[], %(made_by)s, %(now)s)
ON CONFLICT (name) DO NOTHING
RETURNING id;

-- name: lock_client
-- A program, locked so that two new keys at once don't exceed the limit.
SELECT id, permissions, site_ids
  FROM api_client
 WHERE name = %(name)s
   FOR UPDATE;

-- name: count_working_keys
-- How many keys of a program let it in.
SELECT count(*)
  FROM api_key
 WHERE client_id = %(client_id)s
   AND revoked_at IS NULL
   AND expires_at > %(now)s;

-- name: insert_key
-- Keep a key's hash.
INSERT INTO api_key (client_id, prefix, secret_hash, made_by, made_at, expires_at)
VALUES (%(client_id)s, %(prefix)s, %(secret_hash)s, %(made_by)s, %(now)s, %(expires_at)s);

-- name: shorten_keys
-- A newer key replaces these: they end after the overlap, if not earlier anyway.
UPDATE api_key
   SET expires_at = %(ends_at)s
 WHERE client_id = %(client_id)s
   AND revoked_at IS NULL
   AND expires_at > %(ends_at)s
RETURNING prefix;

-- name: revoke_key
-- End a key at once.
UPDATE api_key
   SET revoked_at = %(now)s, revoked_by = %(revoked_by)s
  FROM api_client
 WHERE api_client.id = api_key.client_id
   AND api_key.prefix = %(prefix)s
   AND api_key.revoked_at IS NULL
RETURNING api_client.name;

-- name: select_key
-- A key by its prefix, with the program that it belongs to.
SELECT api_key.id, api_key.prefix, api_key.secret_hash, api_key.expires_at, api_key.revoked_at,
       api_key.last_used_at, api_client.id AS client_id, api_client.name, api_client.permissions,
       api_client.site_ids
  FROM api_key
  INNER JOIN api_client ON api_client.id = api_key.client_id
 WHERE api_key.prefix = %(prefix)s;

-- name: touch_key
-- Record that a key was used, unless another request does so: nobody waits for that.
UPDATE api_key
   SET last_used_at = %(now)s
 WHERE id = (
         SELECT id
           FROM api_key
          WHERE id = %(key_id)s
            AND (last_used_at IS NULL OR last_used_at < %(used_before)s)
            FOR UPDATE SKIP LOCKED
       );

-- name: select_clients
-- Programs by name.
SELECT id, name, purpose, permissions, site_ids, made_by, made_at
  FROM api_client
 WHERE name > %(after)s
 ORDER BY name
 LIMIT %(rows_max)s;

-- name: select_keys_of_clients
-- The newest keys of each of some programs.
SELECT newest.client_id, newest.prefix, newest.made_by, newest.made_at, newest.expires_at,
       newest.revoked_at, newest.last_used_at
  FROM unnest(%(client_ids)s::bigint[]) AS wanted (client_id)
  CROSS JOIN LATERAL (
    SELECT client_id, prefix, made_by, made_at, expires_at, revoked_at, last_used_at
      FROM api_key
     WHERE api_key.client_id = wanted.client_id
     ORDER BY made_at DESC, id DESC
     LIMIT %(keys_max)s
  ) AS newest
 ORDER BY newest.client_id ASC, newest.made_at DESC, newest.prefix ASC;

-- name: try_lock_answer
-- Be the only one who works on a caller's key until this transaction ends; false if somebody does.
SELECT pg_try_advisory_xact_lock(
         %(class)s::integer, hashtext(%(caller)s::text || ' ' || %(idempotency_key)s::text)
       );

-- name: select_answer
-- What was answered to a caller's key.
SELECT request_digest, status, headers, body
  FROM api_answer
 WHERE caller = %(caller)s
   AND idempotency_key = %(idempotency_key)s;

-- name: insert_answer
-- Keep an answer.
INSERT INTO api_answer
       (caller, idempotency_key, request_digest, status, headers, body, answered_at)
VALUES (%(caller)s, %(idempotency_key)s, %(request_digest)s, %(status)s, %(headers)s, %(body)s,
        %(now)s);

-- name: delete_old_answers
-- Forget answers before a time, at most so many rows at once.
DELETE FROM api_answer
 WHERE ctid = any(
         array(
           SELECT ctid
             FROM api_answer
            WHERE answered_at < %(before)s
            ORDER BY answered_at
            LIMIT %(rows_max)s
         )
       );
