-- SPDX-License-Identifier: AGPL-3.0-or-later
-- Units and areas are what scopes are made of and no personal data: these queries take no scope.

-- name: insert_unit
-- Make a unit; a taken id is renamed.
INSERT INTO unit (id, name, created_at)
VALUES (%(unit_id)s, %(name)s, %(now)s)
ON CONFLICT (id) DO UPDATE SET name = excluded.name;

-- name: delete_unit
-- Remove a unit that nobody belongs to.
DELETE FROM unit
 WHERE id = %(unit_id)s
RETURNING id;

-- name: select_units
-- Every unit with its areas and the number of its people, by name.
SELECT unit.id, unit.name,
       array(
         SELECT unit_area.group_id::text FROM unit_area WHERE unit_area.unit_id = unit.id
          ORDER BY unit_area.group_id
       ) AS area_ids,
       (SELECT count(*) FROM app_user WHERE app_user.unit_id = unit.id) AS people
  FROM unit
 ORDER BY unit.name, unit.id
 LIMIT %(rows_max)s;

-- name: delete_unit_areas
-- Take every area from a unit.
DELETE FROM unit_area
 WHERE unit_id = %(unit_id)s;

-- name: insert_unit_areas
-- Give areas to a unit.
INSERT INTO unit_area (unit_id, group_id)
SELECT %(unit_id)s, given.group_id
  FROM unnest(%(area_ids)s::text[]) AS given (group_id);

-- name: lock_unit
-- A unit, held until the transaction ends.
SELECT id
  FROM unit
 WHERE id = %(unit_id)s
   FOR UPDATE;

-- name: insert_area
-- Make an area; a taken id is renamed.
INSERT INTO site_group (id, name, created_at)
VALUES (%(area_id)s, %(name)s, %(now)s)
ON CONFLICT (id) DO UPDATE SET name = excluded.name;

-- name: delete_area
-- Remove an area that nobody is confined to.
DELETE FROM site_group
 WHERE id = %(area_id)s
RETURNING id;

-- name: select_areas
-- Every area with its sites, by name.
SELECT site_group.id, site_group.name,
       array(
         SELECT site_group_site.site_id::text
           FROM site_group_site
          WHERE site_group_site.group_id = site_group.id
          ORDER BY site_group_site.site_id
       ) AS site_ids
  FROM site_group
 ORDER BY site_group.name, site_group.id
 LIMIT %(rows_max)s;

-- name: delete_area_sites
-- Take every site out of an area.
DELETE FROM site_group_site
 WHERE group_id = %(area_id)s;

-- name: insert_area_sites
-- Put sites into an area.
INSERT INTO site_group_site (group_id, site_id)
SELECT %(area_id)s, given.site_id
  FROM unnest(%(site_ids)s::text[]) AS given (site_id);

-- name: select_missing_areas
-- Which of some ids are no areas.
SELECT given.group_id
  FROM unnest(%(area_ids)s::text[]) AS given (group_id)
 WHERE NOT EXISTS (SELECT 1 FROM site_group WHERE site_group.id = given.group_id)
 ORDER BY given.group_id
 LIMIT %(rows_max)s;

-- name: select_missing_sites
-- Which of some ids are no sites.
SELECT given.site_id
  FROM unnest(%(site_ids)s::text[]) AS given (site_id)
 WHERE NOT EXISTS (SELECT 1 FROM site WHERE site.id = given.site_id)
 ORDER BY given.site_id
 LIMIT %(rows_max)s;
