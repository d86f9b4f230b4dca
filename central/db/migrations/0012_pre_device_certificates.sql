-- SPDX-License-Identifier: AGPL-3.0-or-later
-- How devices get certificates: invitations that are used once, and what was issued.

CREATE TABLE device_invitation (
  token_hash sha256_digest PRIMARY KEY,
  device_id slug NOT NULL REFERENCES device (id),
  invited_by text NOT NULL CHECK (char_length(invited_by) BETWEEN 1 AND 100),
  invited_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > invited_at),
  used_at timestamptz
);
CREATE INDEX device_invitation_device ON device_invitation (device_id);
COMMENT ON TABLE device_invitation IS
  'Tokens with which a device asks for its first certificate; only their hashes are kept.';

CREATE TABLE device_certificate (
  serial text COLLATE "C" PRIMARY KEY CHECK (serial ~ '^[0-9a-f]{1,40}$'),
  device_id slug NOT NULL REFERENCES device (id),
  public_key_pem text NOT NULL CHECK (char_length(public_key_pem) BETWEEN 1 AND 2000),
  not_before_at timestamptz NOT NULL,
  not_after_at timestamptz NOT NULL CHECK (not_after_at > not_before_at),
  issued_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revocation_reason text CHECK (char_length(revocation_reason) BETWEEN 1 AND 300),
  CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL))
);
CREATE INDEX device_certificate_device ON device_certificate (device_id, issued_at DESC);
CREATE INDEX device_certificate_revoked ON device_certificate (not_after_at)
WHERE revoked_at IS NOT NULL;
COMMENT ON TABLE device_certificate IS
  'Every certificate that was issued to a device; none is ever deleted.';
REVOKE DELETE, TRUNCATE ON device_certificate FROM luuthong_app;
