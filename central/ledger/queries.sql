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
