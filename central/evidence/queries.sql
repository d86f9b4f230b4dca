-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: insert_evidence
-- Record a picture that is in the store; one that is already recorded keeps its dates.
INSERT INTO evidence
       (sha256, device_id, media_type, size_bytes, purpose, stored_at, erase_after)
VALUES (decode(%(sha256)s, 'hex'), %(device_id)s, 'image/jpeg', %(size_bytes)s, %(purpose)s,
        %(now)s, %(erase_after)s)
ON CONFLICT (sha256) DO NOTHING;

-- name: select_evidence
-- A recorded picture, if the site of the device that sent it lies in the caller's scope.
SELECT encode(evidence.sha256, 'hex') AS sha256, evidence.media_type, evidence.size_bytes,
       device.site_id, evidence.stored_at, evidence.erase_after
  FROM evidence
  INNER JOIN device ON device.id = evidence.device_id
 WHERE evidence.sha256 = decode(%(sha256)s, 'hex')
   AND (%(scope)s::text[] IS NULL OR device.site_id = any(%(scope)s::text[]));

-- name: lock_due_evidence
-- Pictures whose erasure date has passed, oldest date first, locked for the erasing job. No
-- scope: erasure concerns every site.
SELECT encode(sha256, 'hex') AS sha256
  FROM evidence
 WHERE erase_after <= %(now)s
 ORDER BY erase_after
 LIMIT %(rows_max)s
   FOR UPDATE SKIP LOCKED;

-- name: delete_evidence
-- Forget pictures whose files are gone.
DELETE FROM evidence
 WHERE sha256 = any(
         array(SELECT decode(digest, 'hex') FROM unnest(%(sha256s)s::text[]) AS digest)
       );
