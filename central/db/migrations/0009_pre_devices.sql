-- SPDX-License-Identifier: AGPL-3.0-or-later
-- What came from every device on every day, and how people deal with messages in quarantine.

CREATE TABLE device_day (
  stream_id bigint NOT NULL,
  day date NOT NULL,
  first_seq bigint CHECK (first_seq >= 1),
  last_seq bigint CHECK (last_seq >= first_seq),
  stored_count bigint NOT NULL CHECK (stored_count >= 0),
  doubled_count bigint NOT NULL CHECK (doubled_count >= 0),
  quarantined_count bigint NOT NULL CHECK (quarantined_count >= 0),
  late_count bigint NOT NULL CHECK (late_count >= 0),
  PRIMARY KEY (stream_id, day),
  CHECK ((first_seq IS NULL) = (last_seq IS NULL))
);
CREATE INDEX device_day_newest ON device_day (day DESC, stream_id);
COMMENT ON TABLE device_day IS
  'What an outbox delivered on one local day of reception; written by ingest with every batch.';
COMMENT ON COLUMN device_day.first_seq IS
  'Lowest number that was new on this day; null when only repeats came.';

ALTER TABLE quarantine ADD COLUMN resolved_by text
CHECK (char_length(resolved_by) BETWEEN 1 AND 100);
ALTER TABLE quarantine ADD COLUMN resolution_note text
CHECK (char_length(resolution_note) BETWEEN 1 AND 500);
COMMENT ON COLUMN quarantine.resolved_by IS
  'Who dropped the message; null when it was stored after all.';
