-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Webhooks: who is told, what is told, and how it was delivered.

CREATE TABLE webhook (
  id uuid PRIMARY KEY,
  name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  url text NOT NULL CHECK (char_length(url) BETWEEN 1 AND 500),
  events text[] NOT NULL CHECK (cardinality(events) BETWEEN 1 AND 50),
  site_ids text[] CHECK (cardinality(site_ids) BETWEEN 1 AND 200),
  state text NOT NULL DEFAULT 'working' CHECK (state IN ('working', 'paused', 'removed')),
  pause_reason text CHECK (pause_reason IN ('person', 'failing', 'gone')),
  paused_at timestamptz,
  failing_since timestamptz,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  CHECK ((state = 'paused') = (pause_reason IS NOT NULL)),
  CHECK ((pause_reason IS NULL) = (paused_at IS NULL))
);
CREATE UNIQUE INDEX webhook_name ON webhook (name) WHERE state <> 'removed';
COMMENT ON COLUMN webhook.site_ids IS
  'Sites whose events it hears; NULL for the whole province and for what has no place.';
COMMENT ON COLUMN webhook.failing_since IS
  'First failure after the last success; NULL when the last attempt went well.';

-- A secret is derived from this salt and a key that is not in the database.
CREATE TABLE webhook_secret (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  webhook_id uuid NOT NULL REFERENCES webhook (id),
  salt bytea NOT NULL CHECK (octet_length(salt) = 32),
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  ends_at timestamptz
);
CREATE INDEX webhook_secret_webhook ON webhook_secret (webhook_id, id DESC);
COMMENT ON COLUMN webhook_secret.ends_at IS 'When it stops to sign; NULL for the newest.';

-- Webhooks are never deleted: the audit log names them.
REVOKE DELETE, TRUNCATE ON webhook, webhook_secret FROM luuthong_app;

CREATE TABLE webhook_event (
  id uuid PRIMARY KEY,
  type text NOT NULL,
  occurred_at timestamptz NOT NULL,
  body text NOT NULL CHECK (char_length(body) <= 4096)
);
CREATE INDEX webhook_event_age ON webhook_event (occurred_at);
COMMENT ON TABLE webhook_event IS
  'What is told, written with the event itself; the same bytes at every attempt.';

CREATE TABLE webhook_delivery (
  id uuid PRIMARY KEY,
  webhook_id uuid NOT NULL REFERENCES webhook (id),
  event_id uuid NOT NULL REFERENCES webhook_event (id) ON DELETE CASCADE,
  made_at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  due_at timestamptz,
  expires_at timestamptz NOT NULL,
  attempted_at timestamptz,
  delivered_at timestamptz,
  status smallint CHECK (status BETWEEN 100 AND 999),
  failure text CHECK (failure ~ '^[a-z_]{1,40}$'),
  latency_ms integer CHECK (latency_ms >= 0),
  UNIQUE (event_id, webhook_id),
  CHECK ((state = 'waiting') = (due_at IS NOT NULL)),
  CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_list ON webhook_delivery (webhook_id, made_at DESC, id DESC);
COMMENT ON COLUMN webhook_delivery.due_at IS
  'Next attempt; while one is being made, when another may be made in its place.';
COMMENT ON COLUMN webhook_delivery.expires_at IS 'When it is given up.';
