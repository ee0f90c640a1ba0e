-- Normal forms and hashes of e-mail addresses and telephone numbers.

-- known values
SELECT stratum.email_hash(' Test@Example.COM ') =
         '973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b' AS email,
       stratum.phone_hash('+44 844 412 4653') =
         'dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383' AS phone;

SELECT to_json(value) AS value, to_json(stratum.normalize_email(value)) AS normal, stratum.email_hash(value) IS NOT NULL AS hashed
FROM (VALUES ('Test@Example.COM'), (E' \t\n\r\x0B\fa@B.c\f\x0B\r\n\t '), ('a b@c'), (''), ('   '), (E'\t\n\x0B\f\r'),
             (NULL), ('É.Ünsal+Tag@EXAMPLE.com'), ('ΣΊΣΥΦΟΣ@Δ.gr'), (E'\u00A0x@y\u00A0')) AS v (value);

SELECT value, stratum.normalize_phone(value) AS normal, stratum.phone_hash(value) IS NOT NULL AS hashed
FROM (VALUES ('+44 (844) 412-4653'), ('0044 844 4124653'), ('0 0 44-8'), ('+0044'), ('0844'), ('000044'), ('00'),
             ('0'), ('+'), (''), ('  '), ('call me'), ('٠١٢٣'), ('１２3'), (NULL)) AS v (value);

-- random texts against plain SQL
SELECT setseed(0.25);
CREATE TEMPORARY TABLE samples AS
SELECT i, string_agg(substr(E' \t\n\x0B\f\rABCXYZabcxyz@._+-()0001239ÄéßЖ漢😀', 1 + floor(random() * 42)::int, 1), '') AS value
FROM generate_series(1, 5000) AS i, generate_series(1, 1 + i % 23)
GROUP BY i;

WITH plain AS (
  SELECT value,
         nullif(translate(btrim(value, E' \t\n\x0B\f\r'),
                          'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'), '') AS email,
         nullif(regexp_replace(regexp_replace(value, '[^0-9]', '', 'g'), '^(00)+', ''), '') AS phone
  FROM samples)
SELECT count(*),
       count(*) FILTER (WHERE stratum.normalize_email(value) IS DISTINCT FROM email) AS email,
       count(*) FILTER (WHERE stratum.email_hash(value)
                              IS DISTINCT FROM encode(sha256(convert_to(email, 'UTF8')), 'hex')) AS email_hash,
       count(*) FILTER (WHERE stratum.normalize_phone(value) IS DISTINCT FROM phone) AS phone,
       count(*) FILTER (WHERE stratum.phone_hash(value)
                              IS DISTINCT FROM encode(sha256(convert_to(phone, 'UTF8')), 'hex')) AS phone_hash,
       count(*) FILTER (WHERE stratum.normalize_email(email) IS DISTINCT FROM email
                              OR stratum.normalize_phone(phone) IS DISTINCT FROM phone) AS not_idempotent
FROM plain;

-- long ones: about the sizes in which they are hashed, and 100 MB
SELECT count(*) AS sizes,
       count(*) FILTER (WHERE stratum.email_hash(value) <> encode(sha256(convert_to(lower(value COLLATE "C"), 'UTF8')), 'hex')) AS email,
       count(*) FILTER (WHERE stratum.phone_hash(digits) <> encode(sha256(convert_to(digits, 'UTF8')), 'hex')) AS phone
FROM (SELECT repeat('Xé', 4000) || repeat('Y', n) AS value, repeat('7', 8000 + n) AS digits
      FROM generate_series(180, 210) AS n
      UNION ALL
      SELECT repeat('Z', n), repeat('1', n) FROM unnest(ARRAY[8191, 8192, 8193, 16384, 100000]) AS n) AS v;

SELECT stratum.email_hash(repeat('A', 100000000)) = encode(sha256(convert_to(repeat('a', 100000000), 'UTF8')), 'hex') AS email,
       stratum.phone_hash(repeat('7', 100000000)) = encode(sha256(convert_to(repeat('7', 100000000), 'UTF8')), 'hex') AS phone,
       stratum.email_hash(repeat(' ', 100000000)) IS NULL AS blank;

-- compressed, and out of line
CREATE TEMPORARY TABLE toasted (value text);
INSERT INTO toasted SELECT repeat('Ab@', 100000);
ALTER TABLE toasted ALTER value SET STORAGE EXTERNAL;
INSERT INTO toasted SELECT repeat('Ab@', 100000);
SELECT stratum.email_hash(value) = encode(sha256(convert_to(repeat('ab@', 100000), 'UTF8')), 'hex') AS same
FROM toasted;

SELECT proname, provolatile, proisstrict, proparallel
FROM pg_proc
WHERE pronamespace = 'stratum'::regnamespace AND proname IN ('normalize_email', 'email_hash', 'normalize_phone', 'phone_hash', 'audience_hash')
ORDER BY proname COLLATE "C";
