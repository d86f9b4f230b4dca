-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Fresh pictures of cameras that people ask for; they live for minutes.

CREATE TABLE live_frame (
  id uuid PRIMARY KEY,
  device_id slug NOT NULL REFERENCES device (id),
  camera_id slug NOT NULL,
  user_id bigint NOT NULL,
  asked_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > asked_at),
  answered_at timestamptz,
  picture bytea CHECK (octet_length(picture) BETWEEN 1 AND 4194304),
  CHECK ((answered_at IS NULL) = (picture IS NULL))
);
CREATE INDEX live_frame_expiry ON live_frame (expires_at);
COMMENT ON TABLE live_frame IS
  'One picture per request, for the one who asked, until it expires; who asked and why is in the '
  'audit log.';
