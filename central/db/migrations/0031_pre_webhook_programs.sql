-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Programs register webhooks of their own, and changes say which version they saw.

ALTER TABLE webhook
  ADD COLUMN client_id bigint,
  ADD COLUMN version integer NOT NULL DEFAULT 1;
-- A few rows: checking them blocks nobody for long.
ALTER TABLE webhook ADD CONSTRAINT webhook_client_id_fkey
  FOREIGN KEY (client_id) REFERENCES api_client (id) NOT VALID;
ALTER TABLE webhook ADD CONSTRAINT webhook_version_check CHECK (version >= 1) NOT VALID;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE webhook VALIDATE CONSTRAINT webhook_client_id_fkey;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE webhook VALIDATE CONSTRAINT webhook_version_check;
COMMENT ON COLUMN webhook.client_id IS
  'Program that it belongs to; NULL for those of administrators.';
