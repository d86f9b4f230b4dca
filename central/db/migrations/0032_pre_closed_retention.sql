-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Closed alerts and settled messages of the quarantine are erased by date, too.

-- The new check allows more than the old one; the table holds a row per erasure.
-- squawk-ignore ban-drop-constraint
ALTER TABLE erasure_record DROP CONSTRAINT erasure_record_data_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE erasure_record ADD CONSTRAINT erasure_record_data_check
CHECK (data IN ('passages', 'tag_reads', 'alerts', 'quarantine'));
COMMENT ON COLUMN erasure_record.ids_sha256 IS
  'SHA-256 over the ids (16 bytes each; of quarantine its number) of the erased rows, ascending: '
  'whoever kept a list of ids can prove that they were among them; nobody can find them out of it.';
