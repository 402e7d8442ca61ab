-- SPDX-License-Identifier: MIT
-- Allocation-heavy SQL with a fixed output. Driven by sqlite3.sh.
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -20000;
PRAGMA temp_store = MEMORY;
CREATE TABLE item(id INTEGER PRIMARY KEY, owner INTEGER, name TEXT, body BLOB);
CREATE TABLE owner(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
INSERT INTO owner SELECT i, 'owner ' || (i * 7919 % 100003) FROM n;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO item
SELECT i, 1 + i * 7919 % 500,
       printf('%x-%x', i * 48271 % 2147483647, i),
       zeroblob(i * 31 % 400) || printf('%0*d', 1 + i % 90, i)
FROM n;
COMMIT;
CREATE INDEX item_name ON item(name);
CREATE INDEX item_owner ON item(owner, id DESC);

SELECT count(*), sum(length(body)), min(name), max(name) FROM item;
SELECT o.name, count(*), sum(length(i.body)), group_concat(substr(i.name, 1, 2), '')
  FROM owner o JOIN item i ON i.owner = o.id
 WHERE o.id % 50 = 0 GROUP BY o.id ORDER BY 3 DESC, 1;
-- A sort that does not use an index, and window functions over all of it.
SELECT sum(r * length(name)), max(s)
  FROM (SELECT name, row_number() OVER (ORDER BY body, name DESC) AS r,
               sum(length(body)) OVER (PARTITION BY owner ORDER BY name
                                       ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) AS s
          FROM item);

CREATE VIRTUAL TABLE words USING fts5(text);
INSERT INTO words SELECT name || ' ' || replace(name, '-', ' ') || ' owner' || owner
  FROM item WHERE id % 4 = 0;
INSERT INTO words(words) VALUES('optimize');
SELECT count(*) FROM words WHERE words MATCH 'owner33 OR owner77';
SELECT sum(json_extract(j, '$.n') * json_array_length(j, '$.list'))
  FROM (SELECT json_object('n', id, 'name', name,
                           'list', json_array(owner, id, name)) AS j
          FROM item WHERE id % 5 = 0);

DELETE FROM item WHERE id % 3 = 0;
UPDATE item SET body = body || body, name = upper(name) WHERE id % 7 = 0;
VACUUM;
PRAGMA integrity_check;
SELECT count(*), sum(length(body)), min(name), max(name) FROM item;
.sha3sum
