-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Old chunks are compressed where the server's licence allows it.

CREATE FUNCTION compress_old_chunks(older_than timestamptz)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  hypertable record;
  chunk regclass;
  compressed integer := 0;
BEGIN
  -- The Apache edition, which Debian delivers, knows these commands and refuses them.
  IF current_setting('timescaledb.license', TRUE) IS DISTINCT FROM 'timescale' THEN
    RETURN NULL;
  END IF;
  IF older_than > now() - INTERVAL '1 day' THEN
    RAISE EXCEPTION 'chunks that are still written stay as they are' USING ERRCODE = '22023';
  END IF;
  FOR hypertable IN
    SELECT told.name, told.segment_by, told.order_by
      FROM (
             VALUES
             ('passage_evidence', '', 'captured_at DESC, passage_id'),
             ('passage_minute', 'site_id', 'minute_at DESC'),
             ('traffic_minute', 'site_id', 'minute_at DESC')
           ) AS told (name, segment_by, order_by)
  LOOP
    EXECUTE format(
      'ALTER TABLE public.%I SET (timescaledb.compress, timescaledb.compress_segmentby = %L, '
      'timescaledb.compress_orderby = %L)',
      hypertable.name, hypertable.segment_by, hypertable.order_by
    );
    FOR chunk IN
      SELECT format('%I.%I', chunk_schema, chunk_name)::regclass
        FROM timescaledb_information.chunks
       WHERE hypertable_schema = 'public'
         AND hypertable_name = hypertable.name
         AND range_end <= older_than
         AND NOT is_compressed
    LOOP
      PERFORM public.compress_chunk(chunk);
      compressed := compressed + 1;
    END LOOP;
  END LOOP;
  RETURN compressed;
END
$$;
COMMENT ON FUNCTION compress_old_chunks IS
  'Compress chunks whose rows are read by their key or in order; how many, or NULL where the '
  'licence does not allow it. Passages stay as they are: searches by plate need their indexes.';

REVOKE ALL ON FUNCTION compress_old_chunks FROM public;
GRANT EXECUTE ON FUNCTION compress_old_chunks TO luuthong_app;
