-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Gaps in the numbers of outboxes since they were noticed, daily statements about completeness,
-- messages in quarantine that somebody mended, and which silence of a device was told.

CREATE TABLE device_gap (
  stream_id bigint NOT NULL REFERENCES device_stream (id),
  first_seq bigint NOT NULL CHECK (first_seq >= 1),
  last_seq bigint NOT NULL CHECK (last_seq >= first_seq),
  noticed_at timestamptz NOT NULL,
  overdue_at timestamptz,
  filled_at timestamptz CHECK (filled_at IS NULL OR overdue_at IS NOT NULL),
  PRIMARY KEY (stream_id, first_seq)
);
CREATE INDEX device_gap_overdue ON device_gap (stream_id, overdue_at)
WHERE overdue_at IS NOT NULL AND filled_at IS NULL;
COMMENT ON TABLE device_gap IS
  'Numbers that had not come when a job noticed it; what has come since is in device_stream.held.';
COMMENT ON COLUMN device_gap.overdue_at IS
  'When the alarm began: the numbers are lost, or waited longer than an outbox may keep them.';
COMMENT ON COLUMN device_gap.filled_at IS
  'When all of it had come after all; gaps without an alarm are deleted then.';

CREATE TABLE completeness_statement (
  day date NOT NULL,
  revision integer NOT NULL CHECK (revision >= 1),
  made_at timestamptz NOT NULL,
  made_by text NOT NULL CHECK (char_length(made_by) BETWEEN 1 AND 100),
  content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 16777216),
  content_sha256 sha256_digest NOT NULL,
  signed_by text,
  document_id uuid NOT NULL REFERENCES document (id),
  due_count bigint NOT NULL CHECK (due_count >= 0),
  stored_count bigint NOT NULL CHECK (stored_count BETWEEN 0 AND due_count),
  gap_count bigint NOT NULL CHECK (gap_count >= 0),
  PRIMARY KEY (day, revision)
);
COMMENT ON TABLE completeness_statement IS
  'What was stated about a day; a later revision supersedes an earlier one, which is kept.';
COMMENT ON COLUMN completeness_statement.content IS 'The signed file (JSON), byte by byte.';

-- What was stated stays as it was stated.
REVOKE UPDATE, DELETE, TRUNCATE ON completeness_statement FROM luuthong_app;

ALTER TABLE quarantine ADD COLUMN mended_payload bytea
CHECK (octet_length(mended_payload) BETWEEN 1 AND 65536);
ALTER TABLE quarantine ADD COLUMN mended_at timestamptz;
ALTER TABLE quarantine ADD COLUMN mended_by text CHECK (char_length(mended_by) BETWEEN 1 AND 100);
ALTER TABLE quarantine ADD COLUMN mend_note text CHECK (char_length(mend_note) BETWEEN 1 AND 500);
COMMENT ON COLUMN quarantine.mended_payload IS
  'What is stored instead of the message, which stays as it came.';
-- What is refused is little, and waits for seconds at the broker while this is made.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX quarantine_of_outbox ON quarantine (device_id, outbox_id, seq)
WHERE resolution IS DISTINCT FROM 'stored';

ALTER TABLE device_status ADD COLUMN is_silence_told boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN device_status.is_silence_told IS
  'Whether webhooks heard that the device is silent, and not yet that it is heard again.';
UPDATE device_status SET is_silence_told = is_silent;
