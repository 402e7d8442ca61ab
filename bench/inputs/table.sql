-- SPDX-License-Identifier: MIT
-- A database in memory: two tables, indexes, joins, sorts, full text, deletion. The scale is in n and m.
PRAGMA temp_store = MEMORY;
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT UNIQUE, note TEXT);
CREATE TABLE purchase(id INTEGER PRIMARY KEY, customer INTEGER, item TEXT, price INTEGER, text BLOB);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO customer SELECT i, printf('name %d', i * 7919 % 1000003), printf('%.*c', i % 50, 'x') FROM n;
WITH RECURSIVE m(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM m WHERE i < 200000)
INSERT INTO purchase
SELECT i, 1 + i * 48271 % 20000, printf('item-%x', i * 69621 % 2147483647), i * 31 % 9973,
       zeroblob(i * 37 % 120) FROM m;
COMMIT;
CREATE INDEX purchase_of ON purchase(customer, price DESC);
CREATE INDEX purchase_item ON purchase(item);

SELECT count(*), sum(length(text)), min(item), max(item) FROM purchase;
SELECT c.name, count(*), sum(p.price), group_concat(p.item, ',')
  FROM customer c JOIN purchase p ON p.customer = c.id GROUP BY c.id ORDER BY 3 DESC, 1 LIMIT 20;
-- Sorts that no index helps.
SELECT sum(r * price) FROM (SELECT price, row_number() OVER (ORDER BY text, item DESC) AS r FROM purchase);
SELECT max(s) FROM (SELECT sum(price) OVER
  (PARTITION BY customer ORDER BY item ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) AS s FROM purchase);
-- A statement that is built anew for each row, as text and as JSON.
SELECT sum(length(upper(item) || replace(item, '-', ' ') || price)) FROM purchase;
SELECT sum(json_extract(j, '$.price') * json_array_length(j, '$.list'))
  FROM (SELECT json_object('price', price, 'list', json_array(id, item, customer)) AS j
          FROM purchase WHERE id % 4 = 0);
BEGIN;
UPDATE purchase SET item = item || '-changed', text = text || text WHERE id % 5 = 0;
DELETE FROM purchase WHERE id % 3 = 0;
COMMIT;
SELECT count(*), sum(length(text)) FROM purchase;
