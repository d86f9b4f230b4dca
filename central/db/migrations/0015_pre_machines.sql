-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Programs that call the api, and their keys.

CREATE TABLE api_client (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  name text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  purpose text NOT NULL CHECK (char_length(purpose) BETWEEN 1 AND 200),
  permissions text[] NOT NULL CHECK (cardinality(permissions) BETWEEN 1 AND 100),
  site_ids text[] CHECK (cardinality(site_ids) BETWEEN 1 AND 200),
  made_by text NOT NULL,
  made_at timestamptz NOT NULL
);
COMMENT ON COLUMN api_client.site_ids IS 'Sites that it may see; NULL for the whole province.';

CREATE TABLE api_key (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  client_id bigint NOT NULL REFERENCES api_client (id),
  prefix text COLLATE "C" NOT NULL UNIQUE CHECK (prefix ~ '^[0-9a-f]{12}$'),
  secret_hash sha256_digest NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_by text,
  last_used_at timestamptz,
  CHECK (expires_at >= made_at),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE INDEX api_key_client ON api_key (client_id, made_at DESC);
COMMENT ON TABLE api_key IS
  'Keys of programs: the hash of each, which lets its program in until it expires or is revoked.';

-- Programs and keys are never deleted: the audit log and histories name them.
REVOKE DELETE, TRUNCATE ON api_client, api_key FROM luuthong_app;

-- An answer that was given to a program once, to be given again when it repeats its request.
CREATE TABLE api_answer (
  caller text COLLATE "C" NOT NULL CHECK (char_length(caller) BETWEEN 1 AND 100),
  idempotency_key text COLLATE "C" NOT NULL CHECK (char_length(idempotency_key) BETWEEN 1 AND 100),
  request_digest sha256_digest NOT NULL,
  status smallint NOT NULL CHECK (status BETWEEN 200 AND 299),
  headers jsonb NOT NULL,
  body text NOT NULL CHECK (char_length(body) <= 65536),
  answered_at timestamptz NOT NULL,
  PRIMARY KEY (caller, idempotency_key)
);
CREATE INDEX api_answer_age ON api_answer (answered_at);
COMMENT ON TABLE api_answer IS
  'Answers to changes, written with the change, so that a repeated request changes nothing.';
