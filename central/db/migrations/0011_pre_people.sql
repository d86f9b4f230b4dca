-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Units and areas of people, first passwords, second factors, sessions that can be told apart,
-- delays by client, and accounts of an outside identity provider.

-- A few dozen rows: checking them blocks nobody for long.
-- squawk-ignore ban-drop-constraint
ALTER TABLE app_user DROP CONSTRAINT app_user_role_check;
ALTER TABLE app_user ADD CONSTRAINT app_user_role_check CHECK (
  role IN (
    'administrator', 'operator', 'reviewer', 'clerk', 'approver', 'toll_operator', 'toll_auditor',
    'data_protection_officer', 'api_client', 'demonstrator'
  )
) NOT VALID;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE app_user VALIDATE CONSTRAINT app_user_role_check;

-- Units and areas ------------------------------------------------------------------------------

CREATE TABLE unit (
  id slug PRIMARY KEY,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE unit IS 'Offices, stations and teams that people belong to.';

CREATE TABLE site_group (
  id slug PRIMARY KEY,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE site_group IS 'Areas: named groups of sites that somebody may be confined to.';

CREATE TABLE site_group_site (
  group_id slug NOT NULL REFERENCES site_group (id) ON DELETE CASCADE,
  site_id slug NOT NULL REFERENCES site (id),
  PRIMARY KEY (group_id, site_id)
);
CREATE INDEX site_group_site_site ON site_group_site (site_id);

CREATE TABLE unit_area (
  unit_id slug NOT NULL REFERENCES unit (id) ON DELETE CASCADE,
  group_id slug NOT NULL REFERENCES site_group (id),
  PRIMARY KEY (unit_id, group_id)
);
CREATE INDEX unit_area_group ON unit_area (group_id);

CREATE TABLE app_user_area (
  user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
  group_id slug NOT NULL REFERENCES site_group (id),
  PRIMARY KEY (user_id, group_id)
);
CREATE INDEX app_user_area_group ON app_user_area (group_id);

-- People ---------------------------------------------------------------------------------------

ALTER TABLE app_user
ADD COLUMN unit_id slug,
ADD COLUMN reach text NOT NULL DEFAULT 'province',
ADD COLUMN first_password_until timestamptz;
-- Dozens of users: rewriting the table blocks nobody for long.
-- squawk-ignore adding-field-with-default
ALTER TABLE app_user ADD COLUMN handle uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE app_user ADD CONSTRAINT app_user_reach_check
CHECK (reach IN ('province', 'areas')) NOT VALID;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE app_user VALIDATE CONSTRAINT app_user_reach_check;
ALTER TABLE app_user ADD CONSTRAINT app_user_unit_id_fkey
FOREIGN KEY (unit_id) REFERENCES unit (id) NOT VALID;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE app_user VALIDATE CONSTRAINT app_user_unit_id_fkey;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX app_user_unit ON app_user (unit_id);
COMMENT ON COLUMN app_user.reach IS
  'province: every site; areas: the sites of the user''s and the unit''s areas, none without any.';
COMMENT ON COLUMN app_user.first_password_until IS
  'Until when a password that somebody else made lets the user in, to choose an own one; '
  'null once it is the user''s own.';
COMMENT ON COLUMN app_user.handle IS 'Name of the user towards security keys; says nothing.';

CREATE VIEW app_user_scope AS
SELECT app_user.id AS user_id,
       CASE
         WHEN app_user.reach = 'areas' THEN array(
           SELECT site_group_site.site_id::text
             FROM site_group_site
            WHERE site_group_site.group_id IN (
              SELECT app_user_area.group_id
                FROM app_user_area
               WHERE app_user_area.user_id = app_user.id
              UNION ALL
              SELECT unit_area.group_id
                FROM unit_area
               WHERE unit_area.unit_id = app_user.unit_id
            )
            GROUP BY site_group_site.site_id
            ORDER BY site_group_site.site_id
         )
       END AS site_ids
  FROM app_user;
COMMENT ON VIEW app_user_scope IS 'Sites that a user may see; null means every site.';

CREATE TABLE role_rule (
  role text PRIMARY KEY CHECK (role ~ '^[a-z][a-z_]{2,39}$'),
  needs_second_factor boolean NOT NULL
);
COMMENT ON TABLE role_rule IS 'What a role asks of its holders; a role without a row asks nothing.';

-- Second factors -------------------------------------------------------------------------------

CREATE TABLE one_time_secret (
  user_id bigint PRIMARY KEY REFERENCES app_user (id) ON DELETE CASCADE,
  sealed bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 40 AND 200),
  created_at timestamptz NOT NULL,
  confirmed_at timestamptz,
  last_step bigint NOT NULL DEFAULT 0
);
COMMENT ON COLUMN one_time_secret.sealed IS 'Encrypted with the key file of the api.';
COMMENT ON COLUMN one_time_secret.last_step IS
  'Time step of the newest code that was taken: none up to it is taken again.';

CREATE TABLE recovery_code (
  user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
  code_hash sha256_digest NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE recovery_code IS 'Codes for a lost device; a used one is deleted.';

CREATE TABLE security_key (
  credential_id bytea PRIMARY KEY CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
  id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
  public_key bytea NOT NULL CHECK (octet_length(public_key) BETWEEN 1 AND 2048),
  sign_count bigint NOT NULL CHECK (sign_count >= 0),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
  created_at timestamptz NOT NULL,
  last_used_at timestamptz
);
CREATE INDEX security_key_user ON security_key (user_id);

CREATE TABLE login_step (
  token_hash sha256_digest PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
  proof text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  challenge bytea
);
CREATE INDEX login_step_user ON login_step (user_id);
CREATE INDEX login_step_expiry ON login_step (expires_at);
COMMENT ON TABLE login_step IS
  'Logins whose password was right and whose second factor is still to come; no sessions.';

-- Sessions -------------------------------------------------------------------------------------

-- Sessions are few and last for hours.
-- squawk-ignore adding-field-with-default
ALTER TABLE app_session ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE app_session
ADD COLUMN proof text NOT NULL DEFAULT 'password',
ADD COLUMN client text,
ADD COLUMN browser text,
ADD COLUMN challenge bytea;
-- Sessions last for hours and are few: the index is made at once.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX app_session_id ON app_session (id);
COMMENT ON COLUMN app_session.client IS 'Address that the session was opened from.';
COMMENT ON COLUMN app_session.challenge IS 'What a security key that is being added must sign.';

CREATE TABLE login_client (
  client text PRIMARY KEY CHECK (char_length(client) BETWEEN 1 AND 60),
  failures integer NOT NULL CHECK (failures >= 1),
  failed_at timestamptz NOT NULL,
  login_allowed_at timestamptz NOT NULL
);
CREATE INDEX login_client_failed ON login_client (failed_at);
COMMENT ON TABLE login_client IS
  'Addresses that logins failed from, whatever the name; forgotten a day after the last failure.';

-- Outside identity provider --------------------------------------------------------------------

CREATE TABLE outside_identity (
  issuer text NOT NULL CHECK (char_length(issuer) BETWEEN 1 AND 500),
  subject text COLLATE "C" NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
  user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
  linked_at timestamptz NOT NULL,
  PRIMARY KEY (issuer, subject),
  UNIQUE (issuer, user_id)
);
CREATE INDEX outside_identity_user ON outside_identity (user_id);

CREATE TABLE outside_login (
  token_hash sha256_digest PRIMARY KEY,
  state text NOT NULL,
  nonce text NOT NULL,
  code_verifier text NOT NULL,
  next_path text NOT NULL,
  linking_user_id bigint REFERENCES app_user (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX outside_login_expiry ON outside_login (expires_at);
CREATE INDEX outside_login_linking_user ON outside_login (linking_user_id);
COMMENT ON TABLE outside_login IS
  'Logins that went to the provider and have not come back; taken once, for minutes.';
