-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Data protection: unusual looks, relatives' plates, and requests of citizens about their data.

CREATE TABLE protection_rule (
  name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z_]{2,39}$'),
  is_enabled boolean NOT NULL,
  parameters jsonb NOT NULL CHECK (jsonb_typeof(parameters) = 'object'),
  version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
  changed_by text,
  changed_at timestamptz,
  CHECK ((changed_by IS NULL) = (changed_at IS NULL))
);
COMMENT ON TABLE protection_rule IS 'When looks at personal data are unusual; edited by the officer.';
INSERT INTO protection_rule (name, is_enabled, parameters)
VALUES
('volume_own', TRUE, '{"times": 3, "at_least": 20}'),
('volume_role', TRUE, '{"times": 3, "at_least": 20}'),
('outside_hours', TRUE, '{"from_hour": 20, "until_hour": 6, "at_least": 5}'),
('relative', TRUE, '{"at_least": 1}'),
('no_case', TRUE, '{"at_least": 5, "days": 7}');

CREATE TABLE protection_finding (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  rule text NOT NULL REFERENCES protection_rule (name),
  username text NOT NULL CHECK (char_length(username) BETWEEN 1 AND 100),
  day date NOT NULL,
  key_id uuid REFERENCES subject_key (id),
  looks integer NOT NULL CHECK (looks >= 1),
  usual numeric(8, 1) CHECK (usual >= 0),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'explained', 'escalated')),
  found_at timestamptz NOT NULL,
  decided_by text,
  decided_at timestamptz,
  reason text CHECK (char_length(reason) BETWEEN 1 AND 1000),
  UNIQUE NULLS NOT DISTINCT (rule, username, day, key_id),
  CHECK ((state = 'open') = (decided_at IS NULL)),
  CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
  CHECK ((decided_at IS NULL) = (reason IS NULL))
);
CREATE INDEX protection_finding_open ON protection_finding (id DESC) WHERE state = 'open';
COMMENT ON TABLE protection_finding IS 'Looks that a rule finds unusual, and what the officer says.';

CREATE TABLE relative_plate (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  username text NOT NULL REFERENCES app_user (username),
  plate_hmac sha256_digest NOT NULL,
  added_by text NOT NULL,
  added_at timestamptz NOT NULL,
  UNIQUE (username, plate_hmac)
);
COMMENT ON TABLE relative_plate IS 'Plates of officials'' relatives; only their HMAC is kept.';

CREATE SEQUENCE data_request_serial;
CREATE TABLE data_request (
  code text COLLATE "C" PRIMARY KEY CHECK (code ~ '^DL-[0-9]{4}-[0-9]{6}$'),
  kind text NOT NULL CHECK (kind IN ('access', 'correction', 'erasure', 'restriction')),
  state text NOT NULL DEFAULT 'received'
  CHECK (state IN ('received', 'acknowledged', 'done', 'refused')),
  applicant text NOT NULL CHECK (char_length(applicant) BETWEEN 1 AND 200),
  contact text NOT NULL DEFAULT '' CHECK (char_length(contact) <= 200),
  statement text NOT NULL CHECK (char_length(statement) BETWEEN 1 AND 2000),
  vehicle_id uuid NOT NULL REFERENCES vehicle (id),
  received_at timestamptz NOT NULL,
  received_by text NOT NULL,
  acknowledge_by date NOT NULL,
  due_on date NOT NULL CHECK (due_on >= acknowledge_by),
  calendar_version integer NOT NULL REFERENCES working_calendar (version),
  legal_reference text NOT NULL,
  acknowledged_at timestamptz,
  decided_at timestamptz,
  decided_by text,
  answer text CHECK (char_length(answer) BETWEEN 1 AND 2000),
  version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
  CHECK ((state IN ('done', 'refused')) = (decided_at IS NOT NULL)),
  CHECK ((decided_at IS NULL) = (decided_by IS NULL))
);
CREATE INDEX data_request_received ON data_request (received_at DESC, code DESC);
COMMENT ON TABLE data_request IS 'What citizens ask about their own data, with the legal deadline.';

REVOKE DELETE, TRUNCATE ON protection_finding, protection_rule, data_request FROM luuthong_app;
