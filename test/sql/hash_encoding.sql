-- A hash is that of the UTF-8 bytes, in a database of any encoding.
SET client_encoding = 'UTF8';
SET client_min_messages = warning;
SELECT probin AS library, current_database() AS home
FROM pg_proc WHERE oid = 'stratum.email_hash(text)'::regprocedure \gset

SELECT stratum.email_hash('Élodie@Exämple.COM') AS utf8_email,
       stratum.audience_hash('meta', 'first_name', 'Élodie') AS utf8_name,
       stratum.audience_hash('tiktok', 'city', 'Orléans Nord') AS utf8_city,
       stratum.email_hash(repeat('Xé', 10000)) AS utf8_long,
       stratum.email_hash(repeat('X漢字', 10000)) AS utf8_kanji \gset

-- addresses of every length about those that are hashed in one piece
SELECT md5(string_agg(stratum.email_hash(repeat('X', n) || 'É@ß'), '' ORDER BY n)) AS utf8_lengths,
       md5(string_agg(stratum.email_hash(repeat('Ä', n)), '' ORDER BY n)) AS utf8_letters
FROM generate_series(1, 300) AS n \gset

CREATE DATABASE regress_stratum_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc;
\c regress_stratum_latin1
SET client_encoding = 'UTF8';
CREATE FUNCTION email_hash(text) RETURNS text LANGUAGE c STRICT AS :'library', 'stratum_email_sha256';
CREATE FUNCTION audience_hash(text, text, text) RETURNS text LANGUAGE c STRICT AS :'library', 'stratum_audience_hash';
SELECT email_hash('Élodie@Exämple.COM') = :'utf8_email' AS email,
       audience_hash('meta', 'first_name', 'Élodie') = :'utf8_name' AS name,
       audience_hash('tiktok', 'city', 'Orléans Nord') = :'utf8_city' AS city,
       email_hash(repeat('Xé', 10000)) = :'utf8_long' AS long;
SELECT md5(string_agg(email_hash(repeat('X', n) || 'É@ß'), '' ORDER BY n)) = :'utf8_lengths' AS lengths,
       md5(string_agg(email_hash(repeat('Ä', n)), '' ORDER BY n)) = :'utf8_letters' AS letters
FROM generate_series(1, 300) AS n;

-- in hardware and without
CREATE FUNCTION sha256_in(bytea, boolean, integer) RETURNS bytea LANGUAGE c STRICT AS :'library', 'stratum_sha256_test';
SELECT count(*) FILTER (WHERE sha256_in(data, true, 0) IS DISTINCT FROM sha256(data)) AS in_hardware,
       count(*) FILTER (WHERE sha256_in(data, false, 0) IS DISTINCT FROM sha256(data)) AS without,
       count(*) FILTER (WHERE email_hash(value) IS DISTINCT FROM encode(sha256(data), 'hex')) AS email
FROM (SELECT value, convert_to(value, 'UTF8') AS data FROM (SELECT repeat('é', n) || repeat('x', n / 2) FROM generate_series(1, 300) AS n) AS v (value)) AS v;

CREATE DATABASE regress_stratum_euc_jp TEMPLATE template0 ENCODING 'EUC_JP' LOCALE 'C' LOCALE_PROVIDER libc;
\c regress_stratum_euc_jp
SET client_encoding = 'UTF8';
CREATE FUNCTION email_hash(text) RETURNS text LANGUAGE c STRICT AS :'library', 'stratum_email_sha256';
SELECT email_hash(repeat('X漢字', 10000)) = :'utf8_kanji' AS long;

-- bytes that are no UTF-8 are hashed as they are
CREATE DATABASE regress_stratum_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc;
\c regress_stratum_ascii
CREATE FUNCTION email_hash(text) RETURNS text LANGUAGE c STRICT AS :'library', 'stratum_email_sha256';
CREATE FUNCTION normalize_phone(text) RETURNS text LANGUAGE c STRICT AS :'library', 'stratum_normalize_phone';
CREATE FUNCTION audience_hash(text, text, text) RETURNS text LANGUAGE c STRICT AS :'library', 'stratum_audience_hash';
SELECT email_hash('Élodie@Exämple.COM') = :'utf8_email' AS email,
       email_hash(E'A\xe9\xff\xc3') = encode(sha256('\x61e9ffc3'), 'hex') AS invalid,
       normalize_phone(E'\xff1\xc3') = '1' AS phone,
       audience_hash('snapchat', 'last_name', E' A\xe9-\xff\xc3') = encode(sha256('\x61e9ffc3'), 'hex') AS invalid_name,
       audience_hash('snapchat', 'last_name', E'\xf0\x9f\x98') = encode(sha256('\xf09f98'), 'hex') AS cut_short;

\c :home
SET client_min_messages = warning;
DROP DATABASE regress_stratum_latin1;
DROP DATABASE regress_stratum_euc_jp;
DROP DATABASE regress_stratum_ascii;
