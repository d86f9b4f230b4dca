-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: lock_document_subject
-- Makes revisions of one subject's papers wait for each other until the commit.
SELECT
  pg_advisory_xact_lock(
    hashtextextended('document:' || %(subject_kind)s::text || ':' || %(subject_id)s::text, 0)
  ) AS locked;

-- name: insert_document
-- Keeps a new revision of a paper; earlier ones stay.
INSERT INTO document (
  id, kind, subject_kind, subject_id, revision, content, content_sha256, values_sha256, template,
  signed_by, signed_at, made_at
)
SELECT
  %(id)s::uuid, %(kind)s::text, %(subject_kind)s::text, %(subject_id)s::text,
  coalesce(max(d.revision), 0) + 1 AS revision, %(content)s::bytea,
  decode(%(content_sha256)s::text, 'hex') AS content_digest,
  decode(%(values_sha256)s::text, 'hex') AS values_digest,
  %(template)s::text, %(signed_by)s::text, %(signed_at)s::timestamptz, %(made_at)s::timestamptz
  FROM document AS d
 WHERE d.subject_kind = %(subject_kind)s::text
   AND d.subject_id = %(subject_id)s::text
   AND d.kind = %(kind)s::text
RETURNING
  id, kind, subject_kind, subject_id, revision, encode(content_sha256, 'hex') AS content_sha256,
  encode(values_sha256, 'hex') AS values_sha256, octet_length(content) AS size_bytes,
  template, signed_by, signed_at, made_at;

-- name: select_newest_document
-- Newest revision of a paper, without its content.
SELECT
  id, kind, subject_kind, subject_id, revision, encode(content_sha256, 'hex') AS content_sha256,
  encode(values_sha256, 'hex') AS values_sha256, octet_length(content) AS size_bytes,
  template, signed_by, signed_at, made_at
  FROM document
 WHERE subject_kind = %(subject_kind)s::text
   AND subject_id = %(subject_id)s::text
   AND kind = %(kind)s::text
 ORDER BY revision DESC
 LIMIT 1;

-- name: select_documents
-- Every revision of every paper of a subject, newest first, without their contents.
SELECT
  id, kind, subject_kind, subject_id, revision, encode(content_sha256, 'hex') AS content_sha256,
  encode(values_sha256, 'hex') AS values_sha256, octet_length(content) AS size_bytes,
  template, signed_by, signed_at, made_at
  FROM document
 WHERE subject_kind = %(subject_kind)s::text
   AND subject_id = %(subject_id)s::text
 ORDER BY made_at DESC, kind ASC, revision DESC
 LIMIT %(rows_max)s::integer;

-- name: select_document_content
-- The PDF of a paper.
SELECT content
  FROM document
 WHERE id = %(id)s::uuid
 ORDER BY id
 LIMIT 1;
