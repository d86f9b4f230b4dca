-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The double-entry ledger: entries only grow, a balance is a sum, money is whole đồng.

CREATE TABLE ledger_account (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (
    kind IN ('traffic_account', 'station_revenue', 'provider_clearing', 'suspense')
  ),
  reference text COLLATE "C" NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 60),
  opened_at timestamptz NOT NULL,
  UNIQUE (kind, reference)
);

CREATE TABLE ledger_entry (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  idempotency_key text COLLATE "C" NOT NULL UNIQUE CHECK (
    char_length(idempotency_key) BETWEEN 1 AND 120
  ),
  kind text NOT NULL CHECK (kind IN ('top_up', 'toll_charge', 'correction', 'refund')),
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  booked_on date NOT NULL,
  corrects_id bigint REFERENCES ledger_entry (id),
  memo text NOT NULL DEFAULT '' CHECK (char_length(memo) <= 300),
  fingerprint sha256_digest NOT NULL,
  CHECK (corrects_id IS NULL OR kind IN ('correction', 'refund'))
);
CREATE INDEX ledger_entry_day ON ledger_entry (booked_on, id);
CREATE INDEX ledger_entry_corrects ON ledger_entry (corrects_id) WHERE corrects_id IS NOT NULL;
COMMENT ON COLUMN ledger_entry.fingerprint IS
  'SHA-256 over kind, time and postings: the same key with other contents is refused.';

CREATE TABLE ledger_posting (
  entry_id bigint NOT NULL REFERENCES ledger_entry (id),
  line smallint NOT NULL CHECK (line BETWEEN 1 AND 100),
  account_id bigint NOT NULL REFERENCES ledger_account (id),
  amount_dong bigint NOT NULL CHECK (amount_dong <> 0),
  PRIMARY KEY (entry_id, line)
);
CREATE INDEX ledger_posting_account ON ledger_posting (account_id, entry_id) INCLUDE (amount_dong);
COMMENT ON COLUMN ledger_posting.amount_dong IS
  'Positive raises the account''s balance, negative lowers it; an entry''s postings sum to zero.';

CREATE FUNCTION require_balanced_entry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) < 2 OR sum(amount_dong) <> 0 FROM ledger_posting
       WHERE entry_id = NEW.entry_id) THEN
    RAISE EXCEPTION 'ledger entry % does not balance', NEW.entry_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
  END IF;
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER ledger_entry_balances
AFTER INSERT ON ledger_posting
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION require_balanced_entry();

CREATE FUNCTION require_postings() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM ledger_posting WHERE entry_id = NEW.id) THEN
    RAISE EXCEPTION 'ledger entry % has no postings', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_has_postings';
  END IF;
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER ledger_entry_has_postings
AFTER INSERT ON ledger_entry
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION require_postings();

CREATE TABLE ledger_seal (
  position bigint PRIMARY KEY CHECK (position >= 1),
  entry_id bigint NOT NULL UNIQUE REFERENCES ledger_entry (id),
  sealed_on date NOT NULL,
  previous_hash sha256_digest NOT NULL,
  hash sha256_digest NOT NULL UNIQUE,
  sealed_at timestamptz NOT NULL
);
CREATE INDEX ledger_seal_day ON ledger_seal (sealed_on, position);
COMMENT ON TABLE ledger_seal IS
  'The chain over the entries, made by a job in the order in which they were committed.';

-- What must always be true; each view is empty when it is. An auditor can read them alone.
CREATE VIEW ledger_unbalanced_entry AS
SELECT entry.id AS entry_id, coalesce(sum(posting.amount_dong), 0) AS sum_dong,
       count(posting.line) AS postings
  FROM ledger_entry AS entry
  LEFT JOIN ledger_posting AS posting ON posting.entry_id = entry.id
 GROUP BY entry.id
HAVING coalesce(sum(posting.amount_dong), 0) <> 0 OR count(posting.line) < 2;

CREATE VIEW ledger_overdrawn_account AS
SELECT account.id AS account_id, sum(posting.amount_dong) AS balance_dong
  FROM ledger_account AS account
  INNER JOIN ledger_posting AS posting ON posting.account_id = account.id
 WHERE account.kind = 'traffic_account'
 GROUP BY account.id
HAVING sum(posting.amount_dong) < 0;

CREATE VIEW ledger_overcorrected_entry AS
SELECT booked.entry_id, booked.account_id, booked.amount_dong, booked.corrected_dong
  FROM (
    SELECT coalesce(entry.corrects_id, entry.id) AS entry_id, posting.account_id,
           coalesce(
             sum(posting.amount_dong) FILTER (WHERE entry.corrects_id IS NULL), 0
           ) AS amount_dong,
           coalesce(
             sum(posting.amount_dong) FILTER (WHERE entry.corrects_id IS NOT NULL), 0
           ) AS corrected_dong
      FROM ledger_entry AS entry
      INNER JOIN ledger_posting AS posting ON posting.entry_id = entry.id
     GROUP BY coalesce(entry.corrects_id, entry.id), posting.account_id
  ) AS booked
 WHERE booked.corrected_dong <> 0
   AND NOT -booked.corrected_dong BETWEEN least(booked.amount_dong, 0)
                                      AND greatest(booked.amount_dong, 0);

REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entry, ledger_posting, ledger_seal FROM luuthong_app;
REVOKE DELETE, TRUNCATE ON ledger_account FROM luuthong_app;
