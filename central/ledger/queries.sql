-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: lock_accounts
-- Keep others from taking money off these accounts until the end of the transaction; in a fixed
-- order, so that two transactions never wait for each other. Postings by others that only add
-- (their foreign keys take a weaker lock) go on.
SELECT account.id
  FROM unnest(%(kinds)s::text[], %(account_references)s::text[]) AS wanted (kind, reference)
  INNER JOIN ledger_account AS account
    ON account.kind = wanted.kind
   AND account.reference = wanted.reference
 ORDER BY account.kind, account.reference
   FOR NO KEY UPDATE OF account;

-- name: select_standing
-- Everything that decides about an entry, read after the locks: which entry has the key, and for
-- each account its id and, where it is guarded, its balance (only the account's index is read).
SELECT known.id AS known_id, known.fingerprint AS known_fingerprint,
       current_setting('transaction_isolation') AS isolation, account.id AS account_id,
       CASE
         WHEN wanted.is_guarded THEN (
           SELECT coalesce(sum(posting.amount_dong), 0)::bigint
             FROM ledger_posting AS posting
            WHERE posting.account_id = account.id
         )
         ELSE 0
       END AS balance_dong
  FROM unnest(%(kinds)s::text[], %(account_references)s::text[], %(guarded)s::boolean[])
       WITH ORDINALITY AS wanted (kind, reference, is_guarded, place)
  LEFT JOIN ledger_account AS account
    ON account.kind = wanted.kind
   AND account.reference = wanted.reference
  LEFT JOIN ledger_entry AS known ON known.idempotency_key = %(idempotency_key)s
 ORDER BY wanted.place;

-- name: insert_accounts
-- Open accounts that are not there yet, in the same fixed order in which they are locked.
INSERT INTO ledger_account (kind, reference, opened_at)
SELECT wanted.kind, wanted.reference, %(now)s::timestamptz
  FROM unnest(%(kinds)s::text[], %(account_references)s::text[]) AS wanted (kind, reference)
 ORDER BY wanted.kind, wanted.reference
    ON CONFLICT (kind, reference) DO NOTHING;

-- name: select_account_ids
-- Ids of accounts, in the order asked for.
SELECT account.id
  FROM unnest(%(kinds)s::text[], %(account_references)s::text[])
       WITH ORDINALITY AS wanted (kind, reference, place)
  INNER JOIN ledger_account AS account
    ON account.kind = wanted.kind
   AND account.reference = wanted.reference
 ORDER BY wanted.place;

-- name: insert_entry
-- Book an entry with its postings; no row when its key was booked at this very moment by others.
WITH entry AS (
  INSERT INTO ledger_entry (
    idempotency_key, kind, occurred_at, recorded_at, booked_on, corrects_id, memo, fingerprint
  )
  VALUES (
    %(idempotency_key)s, %(kind)s, %(occurred_at)s, %(now)s, %(booked_on)s, %(corrects_id)s,
    %(memo)s, %(fingerprint)s
  )
  ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING id
),
booked AS (
  INSERT INTO ledger_posting (entry_id, line, account_id, amount_dong)
  SELECT entry.id, given.line, given.account_id, given.amount_dong
    FROM entry
    CROSS JOIN unnest(%(account_ids)s::bigint[], %(amounts_dong)s::bigint[])
               WITH ORDINALITY AS given (account_id, amount_dong, line)
)
SELECT id
  FROM entry;

-- name: select_key
-- The entry that has a key.
SELECT id, fingerprint
  FROM ledger_entry
 WHERE idempotency_key = %(idempotency_key)s;

-- name: select_what_is_left
-- What is left of an entry's changes after its corrections, per account.
SELECT account.kind, account.reference, sum(posting.amount_dong)::bigint AS left_dong
  FROM ledger_posting AS posting
  INNER JOIN ledger_account AS account ON account.id = posting.account_id
 WHERE posting.entry_id = %(entry_id)s
    OR posting.entry_id IN (
         SELECT correction.id
           FROM ledger_entry AS correction
          WHERE correction.corrects_id = %(entry_id)s
       )
 GROUP BY account.kind, account.reference;

-- name: select_balance
-- Sum of everything on an account; 0 when nothing was ever booked there.
SELECT coalesce(sum(posting.amount_dong), 0)::bigint
  FROM ledger_account AS account
  INNER JOIN ledger_posting AS posting ON posting.account_id = account.id
 WHERE account.kind = %(kind)s
   AND account.reference = %(reference)s;

-- name: select_entry
-- One entry with its postings, in their order.
SELECT entry.id, entry.idempotency_key, entry.kind, entry.occurred_at, entry.recorded_at,
       entry.booked_on, entry.corrects_id, entry.memo,
       array_agg(account.kind ORDER BY posting.line) AS account_kinds,
       array_agg(account.reference ORDER BY posting.line) AS account_references,
       array_agg(posting.amount_dong ORDER BY posting.line) AS amounts_dong
  FROM ledger_entry AS entry
  INNER JOIN ledger_posting AS posting ON posting.entry_id = entry.id
  INNER JOIN ledger_account AS account ON account.id = posting.account_id
 WHERE entry.id = %(entry_id)s
 GROUP BY entry.id;

-- name: select_statement
-- Part of an account's statement, newest first, with the balance after every entry: the balance
-- at the newest one of the page, less what came after each.
WITH holder AS (
  SELECT id
    FROM ledger_account
   WHERE kind = %(kind)s
     AND reference = %(reference)s
),
page AS (
  SELECT posting.entry_id, sum(posting.amount_dong)::bigint AS amount_dong
    FROM ledger_posting AS posting
   WHERE posting.account_id = (SELECT id FROM holder)
     AND (%(before)s::bigint IS NULL OR posting.entry_id < %(before)s)
   GROUP BY posting.entry_id
   ORDER BY posting.entry_id DESC
   LIMIT %(rows_max)s
),
newest AS (
  SELECT sum(posting.amount_dong)::bigint AS balance_dong
    FROM ledger_posting AS posting
   WHERE posting.account_id = (SELECT id FROM holder)
     AND posting.entry_id <= (SELECT max(entry_id) FROM page)
)
SELECT page.entry_id, entry.kind, entry.occurred_at, entry.booked_on, entry.memo,
       entry.corrects_id, page.amount_dong,
       (
         newest.balance_dong - coalesce(
           sum(page.amount_dong) OVER (
             ORDER BY page.entry_id DESC
             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ), 0
         )
       )::bigint AS balance_dong
  FROM page
  INNER JOIN ledger_entry AS entry ON entry.id = page.entry_id
  CROSS JOIN newest
 ORDER BY page.entry_id DESC;

-- name: lock_chain
-- One process at a time lengthens the chain; the lock goes with the transaction.
SELECT pg_advisory_xact_lock(%(chain_lock)s::bigint);

-- name: select_chain_end
-- The last seal; no row while nothing is sealed.
SELECT position, hash
  FROM ledger_seal
 ORDER BY position DESC
 LIMIT 1;

-- name: select_unsealed
-- Committed entries without a seal, with their postings. Looks back only so many ids from the
-- highest sealed one: enough for what was committed late, and quick in a ledger of millions.
WITH open_entry AS (
  SELECT *
    FROM ledger_entry AS entry
   WHERE entry.id > coalesce((SELECT max(entry_id) FROM ledger_seal), 0) - %(ids_back)s::bigint
     AND NOT EXISTS (SELECT FROM ledger_seal AS seal WHERE seal.entry_id = entry.id)
   ORDER BY entry.id
   LIMIT %(rows_max)s
)
SELECT entry.id, entry.idempotency_key, entry.kind, entry.occurred_at, entry.recorded_at,
       entry.booked_on, entry.corrects_id, entry.memo, entry.fingerprint,
       array_agg(account.kind ORDER BY posting.line) AS account_kinds,
       array_agg(account.reference ORDER BY posting.line) AS account_references,
       array_agg(posting.amount_dong ORDER BY posting.line) AS amounts_dong
  FROM open_entry AS entry
  LEFT JOIN ledger_posting AS posting ON posting.entry_id = entry.id
  LEFT JOIN ledger_account AS account ON account.id = posting.account_id
 GROUP BY entry.id, entry.idempotency_key, entry.kind, entry.occurred_at, entry.recorded_at,
          entry.booked_on, entry.corrects_id, entry.memo, entry.fingerprint
 ORDER BY entry.id;

-- name: insert_seals
-- Lengthen the chain.
INSERT INTO ledger_seal (position, entry_id, sealed_on, previous_hash, hash, sealed_at)
SELECT given.place, given.entry_id, %(sealed_on)s::date, given.previous_hash, given.hash,
       %(now)s::timestamptz
  FROM unnest(
         %(positions)s::bigint[], %(entry_ids)s::bigint[], %(previous_hashes)s::bytea[],
         %(link_hashes)s::bytea[]
       ) AS given (place, entry_id, previous_hash, hash);

-- name: select_sealed
-- Part of the chain in its order, with what was sealed as it stands now; an entry that is gone
-- leaves its columns NULL.
WITH page AS (
  SELECT *
    FROM ledger_seal AS seal
   WHERE seal.position > %(after)s
   ORDER BY seal.position
   LIMIT %(rows_max)s
)
SELECT page.position, page.entry_id, page.sealed_on, page.sealed_at, page.previous_hash,
       page.hash, entry.idempotency_key, entry.kind, entry.occurred_at, entry.recorded_at,
       entry.booked_on, entry.corrects_id, entry.memo, entry.fingerprint,
       contents.account_kinds, contents.account_references, contents.amounts_dong
  FROM page
  LEFT JOIN ledger_entry AS entry ON entry.id = page.entry_id
  LEFT JOIN LATERAL (
    SELECT array_agg(account.kind ORDER BY posting.line) AS account_kinds,
           array_agg(account.reference ORDER BY posting.line) AS account_references,
           array_agg(posting.amount_dong ORDER BY posting.line) AS amounts_dong
      FROM ledger_posting AS posting
      INNER JOIN ledger_account AS account ON account.id = posting.account_id
     WHERE posting.entry_id = page.entry_id
  ) AS contents ON TRUE
 ORDER BY page.position;

-- name: select_totals
-- How much is in the ledger, and what must be nothing: the sum of everything, entries that do not
-- balance, accounts below zero, corrections of more than there was, entries long without a seal.
SELECT (SELECT count(*) FROM ledger_account) AS accounts,
       (SELECT count(*) FROM ledger_entry) AS entries,
       (SELECT count(*) FROM ledger_posting) AS postings,
       (SELECT coalesce(sum(amount_dong), 0)::bigint FROM ledger_posting) AS total_dong,
       (SELECT count(*) FROM ledger_unbalanced_entry) AS unbalanced,
       (SELECT count(*) FROM ledger_overdrawn_account) AS overdrawn,
       (SELECT count(*) FROM ledger_overcorrected_entry) AS overcorrected,
       (SELECT count(*) FROM ledger_seal) AS sealed,
       (
         SELECT count(*)
           FROM ledger_entry AS entry
          WHERE NOT EXISTS (SELECT FROM ledger_seal AS seal WHERE seal.entry_id = entry.id)
       ) AS unsealed,
       (
         SELECT count(*)
           FROM ledger_entry AS entry
          WHERE entry.recorded_at < %(overdue_before)s::timestamptz
            AND NOT EXISTS (SELECT FROM ledger_seal AS seal WHERE seal.entry_id = entry.id)
       ) AS overdue;
