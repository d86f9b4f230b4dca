-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Old ids of events are found by their time. The index is made while ingest goes on; what is left
-- of an attempt that was cut off goes first.

DROP INDEX CONCURRENTLY IF EXISTS passage_identity_time;

-- squawk-ignore ban-concurrent-index-creation-in-transaction
CREATE INDEX CONCURRENTLY passage_identity_time ON passage_identity (captured_at);
