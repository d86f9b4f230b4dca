-- SPDX-License-Identifier: AGPL-3.0-or-later
-- How often an address tried something, for all processes together and after a restart.

CREATE TABLE address_rate (
  action text NOT NULL CHECK (char_length(action) BETWEEN 1 AND 40),
  client text NOT NULL CHECK (char_length(client) BETWEEN 1 AND 60),
  began_at timestamptz NOT NULL,
  tries integer NOT NULL CHECK (tries >= 1),
  PRIMARY KEY (action, client)
);
CREATE INDEX address_rate_began ON address_rate (began_at);
COMMENT ON TABLE address_rate IS
  'How often an address tried what is guarded in its present window; forgotten after an hour.';
