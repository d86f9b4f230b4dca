-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Indexes of passages that fit what is asked: each statement runs by itself, chunk by chunk, so that
-- ingest waits for one chunk at a time and never for all of them.
--
-- plate history      passage_plate (0001): one plate, newest first
-- partial plate      passage_plate_folded: groups of three characters of the folded key. It serves
--                    patterns as well as look-alike readings, since what fits a pattern fits it
--                    folded, too; so it takes the place of the index on the plate itself, and
--                    ingest writes no index more than before
-- site and time      passage_site: newest first at one site, whatever its cameras; one camera is a
--                    filter over the few of its site. It takes the place of the index by camera
-- unread             passage_unread: few rows, so that it costs next to nothing
--
-- Chunks stay at seven days. A day of a province is 100,000 to a million passages of about 1 kB with
-- their indexes, so that the chunk being written stays below 7 GB and its indexes in memory; a year
-- is 53 chunks, and a question without a time opens each of them, which with a chunk per day would
-- be 365. What must be erased after a period goes with a whole week of its chunk.

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS passage_plate_folded ON passage
  USING gin (plate_fold(plate_text) gin_trgm_ops)
  WITH (timescaledb.transaction_per_chunk)
  WHERE plate_text <> '';

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS passage_site ON passage (site_id, captured_at DESC, id DESC)
  WITH (timescaledb.transaction_per_chunk);

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS passage_unread ON passage (captured_at DESC, id DESC)
  WITH (timescaledb.transaction_per_chunk)
  WHERE plate_text = '';

-- squawk-ignore require-concurrent-index-deletion
DROP INDEX IF EXISTS passage_plate_pattern;

-- squawk-ignore require-concurrent-index-deletion
DROP INDEX IF EXISTS passage_camera;
