-- SPDX-License-Identifier: AGPL-3.0-or-later
-- The account that the services work as, the roles of people, and the audit log.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- The services' own account may not change or delete what only grows: that is a privilege of the
-- owner, whom only migrations work as. It has no password until an administrator sets one. Where
-- the owner may not make roles, an administrator makes this one before the migration.
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'luuthong_app') THEN
    CREATE ROLE luuthong_app LOGIN;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;  -- another database's migration was faster
END
$$;
GRANT USAGE ON SCHEMA public TO luuthong_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO luuthong_app;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM luuthong_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO luuthong_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO luuthong_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
GRANT USAGE, SELECT ON SEQUENCES TO luuthong_app;

-- People ---------------------------------------------------------------------------------------

-- A few dozen rows: checking them blocks nobody for long.
-- squawk-ignore ban-drop-constraint
ALTER TABLE app_user DROP CONSTRAINT app_user_role_check;
ALTER TABLE app_user ADD CONSTRAINT app_user_role_check CHECK (
  role IN (
    'administrator', 'operator', 'reviewer', 'clerk', 'approver', 'toll_operator', 'toll_auditor',
    'data_protection_officer'
  )
) NOT VALID;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE app_user VALIDATE CONSTRAINT app_user_role_check;

-- Audit ----------------------------------------------------------------------------------------

CREATE TABLE audit_entry (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  occurred_at timestamptz NOT NULL,
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'service', 'command')),
  actor text NOT NULL CHECK (char_length(actor) BETWEEN 1 AND 100),
  actor_role text,
  action text NOT NULL CHECK (action ~ '^[a-z][a-z_]{2,59}$'),
  outcome text NOT NULL CHECK (outcome IN ('done', 'refused')),
  subject_kind text NOT NULL CHECK (subject_kind ~ '^[a-z][a-z_]{2,39}$'),
  subject_id text NOT NULL CHECK (char_length(subject_id) BETWEEN 1 AND 200),
  purpose text CHECK (purpose ~ '^[a-z][a-z_]{2,39}$'),
  case_reference text CHECK (char_length(case_reference) BETWEEN 1 AND 100),
  request_id text,
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_entry_subject ON audit_entry (subject_kind, subject_id, id DESC);
CREATE INDEX audit_entry_actor ON audit_entry (actor, id DESC);
CREATE INDEX audit_entry_action ON audit_entry (action, id DESC);
COMMENT ON TABLE audit_entry IS
  'Changes and looks at personal data, written in the transaction of the act; only grows.';

CREATE TABLE audit_seal (
  position bigint PRIMARY KEY CHECK (position >= 1),
  entry_id bigint NOT NULL UNIQUE REFERENCES audit_entry (id),
  sealed_on date NOT NULL,
  previous_hash sha256_digest NOT NULL,
  hash sha256_digest NOT NULL UNIQUE,
  sealed_at timestamptz NOT NULL
);
CREATE INDEX audit_seal_day ON audit_seal (sealed_on, position);
COMMENT ON TABLE audit_seal IS
  'The chain over the audit entries, made by a job in the order in which they were committed.';

REVOKE UPDATE, DELETE, TRUNCATE ON audit_entry, audit_seal FROM luuthong_app;
