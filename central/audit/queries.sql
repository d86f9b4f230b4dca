-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The log has no scope: everybody writes into it, and only those who may see all of it read it.

-- name: insert_entry
-- Write one act down.
INSERT INTO audit_entry
       (occurred_at, actor_kind, actor, actor_role, action, outcome, subject_kind, subject_id,
        purpose, case_reference, request_id, detail, client_address, key_id, sealed_facts)
VALUES (%(occurred_at)s, %(actor_kind)s, %(actor)s, %(actor_role)s, %(action)s, %(outcome)s,
        %(subject_kind)s, %(subject_id)s, %(purpose)s, %(case_reference)s, %(request_id)s,
        %(detail)s, %(client_address)s, %(key_id)s, %(sealed_facts)s)
RETURNING id;

-- name: take_sealing_lock
-- Only one process seals at a time; the lock ends with the transaction.
SELECT pg_try_advisory_xact_lock(%(lock_id)s);

-- name: select_newest_seal
-- The end of the chain.
SELECT position, entry_id, previous_hash, hash, sealed_at
  FROM audit_seal
 ORDER BY position DESC
 LIMIT 1;

-- name: select_settled_entry
-- The newest entry that was sealed before a day: nothing older is still being written.
SELECT entry_id
  FROM audit_seal
 WHERE sealed_on < %(day)s
 ORDER BY sealed_on DESC, position DESC
 LIMIT 1;

-- name: select_unsealed_entries
-- Committed entries without a seal, by number. Entries that were committed late have smaller
-- numbers than sealed ones, so the newest seal is no border.
SELECT entry.id, entry.occurred_at, entry.actor_kind, entry.actor, entry.actor_role, entry.action,
       entry.outcome, entry.subject_kind, entry.subject_id, entry.purpose, entry.case_reference,
       entry.request_id, entry.detail, entry.client_address, entry.key_id, entry.sealed_facts
  FROM audit_entry AS entry
 WHERE entry.id > %(after_id)s
   AND NOT EXISTS (SELECT 1 FROM audit_seal WHERE audit_seal.entry_id = entry.id)
 ORDER BY entry.id
 LIMIT %(rows_max)s;

-- name: insert_seals
-- The next links of the chain.
INSERT INTO audit_seal (position, entry_id, sealed_on, previous_hash, hash, sealed_at)
SELECT made.position, made.entry_id, %(sealed_on)s, made.previous_hash, made.hash, %(sealed_at)s
  FROM unnest(
         %(positions)s::bigint[], %(entry_ids)s::bigint[], %(previous_hashes)s::bytea[],
         %(own_hashes)s::bytea[]
       ) AS made (position, entry_id, previous_hash, hash);

-- name: select_seals
-- A stretch of the chain, in order.
SELECT position, entry_id, previous_hash, hash, sealed_at
  FROM audit_seal
 WHERE position > %(after_position)s
   AND position <= %(last_position)s
 ORDER BY position
 LIMIT %(rows_max)s;

-- name: select_entries_by_id
-- Entries by their numbers.
SELECT id, occurred_at, actor_kind, actor, actor_role, action, outcome, subject_kind, subject_id,
       purpose, case_reference, request_id, detail, client_address, key_id, sealed_facts
  FROM audit_entry
 WHERE id = any(%(ids)s::bigint[])
 ORDER BY id
 LIMIT %(rows_max)s;

-- name: search_entries
-- One page of the log, newest first. Parts of the filter that are NULL fall away when the query
-- is planned.
SELECT id, occurred_at, actor_kind, actor, actor_role, action, outcome, subject_kind, subject_id,
       purpose, case_reference, request_id, detail, client_address, key_id, sealed_facts
  FROM audit_entry
 WHERE (%(before_id)s::bigint IS NULL OR id < %(before_id)s)
   AND (%(actor)s::text IS NULL OR actor = %(actor)s)
   AND (%(action)s::text IS NULL OR action = %(action)s)
   AND (%(subject_kind)s::text IS NULL OR subject_kind = %(subject_kind)s)
   AND (%(subject_id)s::text IS NULL OR subject_id = %(subject_id)s)
 ORDER BY id DESC
 LIMIT %(rows_max)s;

-- name: insert_key
-- Keep a key for a subject. Acts that meet a new subject at the same time don't wait for each
-- other, so a subject may have several.
INSERT INTO subject_key (id, subject, secret, fingerprint, made_at)
VALUES (%(id)s, %(subject)s, %(secret)s, %(fingerprint)s, %(now)s);

-- name: select_keys_of
-- Keys of some subjects, oldest first.
SELECT id, secret
  FROM subject_key
 WHERE subject = any(%(subjects)s::text[])
 ORDER BY made_at, id
 LIMIT %(rows_max)s;

-- name: select_keys
-- Those of some keys that were not destroyed.
SELECT id, secret
  FROM subject_key
 WHERE id = any(%(ids)s::uuid[])
   AND secret IS NOT NULL
 ORDER BY id
 LIMIT %(rows_max)s;

-- name: select_days_without_root
-- Days that are over, were sealed on, and have no root yet: their last seal, and how many.
SELECT sealed.sealed_on AS day, sealed.entries, sealed.last_position AS position, last_seal.hash
  FROM (
         SELECT sealed_on, count(*) AS entries, max(position) AS last_position
           FROM audit_seal
          WHERE sealed_on < %(before)s
            AND sealed_on > coalesce((SELECT max(day) FROM audit_root), '-infinity'::date)
          GROUP BY sealed_on
       ) AS sealed
  INNER JOIN audit_seal AS last_seal ON last_seal.position = sealed.last_position
 ORDER BY sealed.sealed_on
 LIMIT %(rows_max)s;

-- name: insert_root
-- Keep the root of a day, once.
INSERT INTO audit_root (day, entries, position, hash, made_at, certificate, signature)
VALUES (%(day)s, %(entries)s, %(position)s, %(hash)s, %(made_at)s, %(certificate)s, %(signature)s)
ON CONFLICT (day) DO NOTHING;

-- name: select_roots
-- Roots of days before a given one, newest first.
SELECT day, entries, position, hash, made_at, certificate, signature
  FROM audit_root
 WHERE (%(before)s::date IS NULL OR day < %(before)s)
 ORDER BY day DESC
 LIMIT %(rows_max)s;
