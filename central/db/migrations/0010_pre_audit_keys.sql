-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Personal facts of the audit log under keys that can be destroyed, addresses of the actors, and
-- the daily roots of the log's chain.

CREATE TABLE subject_key (
  id uuid PRIMARY KEY,
  subject text COLLATE "C" CHECK (char_length(subject) BETWEEN 3 AND 120),
  secret bytea CHECK (octet_length(secret) = 32),
  fingerprint sha256_digest NOT NULL,
  made_at timestamptz NOT NULL,
  destroyed_at timestamptz,
  CHECK ((subject IS NULL) = (destroyed_at IS NOT NULL)),
  CHECK ((secret IS NULL) = (destroyed_at IS NOT NULL))
);
-- Not unique: acts that meet a new subject at the same time don't wait for each other, and each
-- makes a key.
CREATE INDEX subject_key_subject ON subject_key (subject) WHERE subject IS NOT NULL;
COMMENT ON TABLE subject_key IS
  'A key for each vehicle, plate or licence in the audit log; destroying it erases what it sealed.';

CREATE FUNCTION only_destroy_subject_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.destroyed_at IS NOT NULL
     OR NEW.destroyed_at IS NULL
     OR NEW.id <> OLD.id
     OR NEW.fingerprint <> OLD.fingerprint
     OR NEW.made_at <> OLD.made_at THEN
    RAISE EXCEPTION 'a key can only be destroyed, once'
      USING ERRCODE = 'restrict_violation', TABLE = 'subject_key';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER subject_key_only_destroyed
BEFORE UPDATE ON subject_key
FOR EACH ROW EXECUTE FUNCTION only_destroy_subject_key();

ALTER TABLE audit_entry ADD COLUMN client_address text;
ALTER TABLE audit_entry ADD COLUMN key_id uuid;
ALTER TABLE audit_entry ADD COLUMN sealed_facts bytea;
ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_client_address_check
CHECK (char_length(client_address) BETWEEN 1 AND 45) NOT VALID;
ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_sealed_facts_check
CHECK (sealed_facts IS NULL OR key_id IS NOT NULL) NOT VALID;
ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_key_id_fkey
FOREIGN KEY (key_id) REFERENCES subject_key (id) NOT VALID;
-- The columns are empty as yet, so checking them blocks nobody for long.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE audit_entry VALIDATE CONSTRAINT audit_entry_client_address_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE audit_entry VALIDATE CONSTRAINT audit_entry_sealed_facts_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE audit_entry VALIDATE CONSTRAINT audit_entry_key_id_fkey;
-- Nothing bears a key yet, and the log of an unreleased version is small.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX audit_entry_key ON audit_entry (key_id, id DESC) WHERE key_id IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX audit_entry_time ON audit_entry (occurred_at);

CREATE TABLE audit_root (
  day date PRIMARY KEY,
  entries bigint NOT NULL CHECK (entries >= 1),
  position bigint NOT NULL UNIQUE CHECK (position >= entries),
  hash sha256_digest NOT NULL,
  made_at timestamptz NOT NULL,
  certificate text,
  signature bytea,
  CHECK ((certificate IS NULL) = (signature IS NULL))
);
COMMENT ON TABLE audit_root IS
  'Where the chain of the audit log stood at the end of each day, signed for keeping elsewhere.';

REVOKE DELETE, TRUNCATE ON subject_key FROM luuthong_app;
REVOKE UPDATE, DELETE, TRUNCATE ON audit_root FROM luuthong_app;
