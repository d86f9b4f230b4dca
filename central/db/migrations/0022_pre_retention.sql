-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Passages and tag reads are kept for as long as their purpose lasts; what was erased is on record.

CREATE TABLE retention_span (
  data text NOT NULL CHECK (data IN ('passages', 'tag_reads')),
  since timestamptz NOT NULL,
  until timestamptz NOT NULL CHECK (until > since),
  judged_at timestamptz NOT NULL,
  next_judged_at timestamptz NOT NULL CHECK (next_judged_at > judged_at),
  PRIMARY KEY (data, since)
);
COMMENT ON TABLE retention_span IS
  'Spans (chunks) whose rows were judged by purpose. Counts of such a span are never taken anew: '
  'most of what they count is gone.';

CREATE TABLE erasure_record (
  id uuid PRIMARY KEY,
  made_at timestamptz NOT NULL,
  data text NOT NULL CHECK (data IN ('passages', 'tag_reads')),
  since timestamptz NOT NULL,
  until timestamptz NOT NULL CHECK (until > since),
  way text NOT NULL CHECK (way IN ('dropped', 'deleted')),
  erased_count bigint NOT NULL CHECK (erased_count >= 1),
  picture_count bigint NOT NULL CHECK (picture_count >= 0),
  kept_counts jsonb NOT NULL CHECK (jsonb_typeof(kept_counts) = 'object'),
  periods jsonb NOT NULL CHECK (jsonb_typeof(periods) = 'object'),
  ids_sha256 sha256_digest NOT NULL,
  document_id uuid NOT NULL REFERENCES document (id)
);
CREATE INDEX erasure_record_recent ON erasure_record (made_at DESC, id DESC);
COMMENT ON TABLE erasure_record IS
  'Proof of erasures by date: how much went, what stayed and why, and by which periods. It names no '
  'plate and no row.';
COMMENT ON COLUMN erasure_record.ids_sha256 IS
  'SHA-256 over the ids (16 bytes each) of the erased rows, ascending: whoever kept a list of ids '
  'can prove that they were among them; nobody can find them out of it.';
COMMENT ON COLUMN erasure_record.kept_counts IS 'Rows of the span that stayed, by purpose.';

-- What was written down about an erasure stays as it was written.
REVOKE UPDATE, DELETE, TRUNCATE ON erasure_record FROM luuthong_app;

-- The new check allows more than the old one. Pictures are written in single rows, which wait for
-- seconds while the rows are looked through.
-- squawk-ignore ban-drop-constraint
ALTER TABLE evidence DROP CONSTRAINT evidence_purpose_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE evidence ADD CONSTRAINT evidence_purpose_check
CHECK (purpose IN ('passage', 'unmatched', 'matched', 'pursued', 'toll'));
COMMENT ON COLUMN evidence.purpose IS
  'passage: not judged yet; later why its passage is kept, or unmatched where nothing keeps it.';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX evidence_unjudged ON evidence (stored_at) WHERE purpose = 'passage';

-- The services' account owns no table, so that it can neither lock a chunk against late writers nor
-- drop one. These two let it, for old spans of these tables only.
CREATE FUNCTION claim_old_span(hypertable text, since timestamptz, until timestamptz)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  chunk regclass;
  claimed integer := 0;
BEGIN
  IF hypertable NOT IN ('passage', 'passage_evidence', 'tag_read')
     OR until > now() - INTERVAL '1 day' THEN
    RAISE EXCEPTION 'no old span of a table that has one' USING ERRCODE = '22023';
  END IF;
  FOR chunk IN
    SELECT format('%I.%I', chunk_schema, chunk_name)::regclass
      FROM timescaledb_information.chunks
     WHERE hypertable_schema = 'public'
       AND hypertable_name = hypertable
       AND range_start < until
       AND range_end > since
  LOOP
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', chunk);
    claimed := claimed + 1;
  END LOOP;
  RETURN claimed;
END
$$;
COMMENT ON FUNCTION claim_old_span IS
  'Keep late writers out of the chunks of an old span until the commit; readers go on.';

CREATE FUNCTION drop_old_span(hypertable text, since timestamptz, until timestamptz)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  IF hypertable NOT IN ('passage', 'passage_evidence', 'tag_read')
     OR until > now() - INTERVAL '1 day' THEN
    RAISE EXCEPTION 'no old span of a table that has one' USING ERRCODE = '22023';
  END IF;
  RETURN (
    SELECT count(*)
      FROM drop_chunks(
        format('public.%I', hypertable)::regclass, older_than => until, newer_than => since
      )
  );
END
$$;
COMMENT ON FUNCTION drop_old_span IS 'Drop the chunks that lie within an old span.';

REVOKE ALL ON FUNCTION claim_old_span, drop_old_span FROM public;
GRANT EXECUTE ON FUNCTION claim_old_span, drop_old_span TO luuthong_app;
