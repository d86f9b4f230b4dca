-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Ids of events have an end: they go once nothing of their time can be stored any more.

ALTER TABLE passage_identity ADD COLUMN is_recording boolean;
COMMENT ON COLUMN passage_identity.is_recording IS
  'Whether the time is a recording''s own, which may be older; null where that was not noted, and '
  'counts as a recording.';

CREATE TABLE event_id_walk (
  is_recording boolean PRIMARY KEY,
  walked_before timestamptz NOT NULL
);
COMMENT ON TABLE event_id_walk IS
  'How far the ids of events were looked through for those whose time is over, live events and '
  'recordings each.';
