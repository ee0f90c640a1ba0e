-- The library's own SHA-256: in hardware, where the processor has it, and without.
SELECT probin AS library FROM pg_proc WHERE oid = 'stratum.email_hash(text)'::regprocedure \gset
CREATE FUNCTION pg_temp.sha256_in(data bytea, hardware boolean, part integer) RETURNS bytea
  LANGUAGE c STRICT AS :'library', 'stratum_sha256_test';

-- FIPS 180-2 and the NIST's example values
SELECT bool_and(pg_temp.sha256_in(data, hardware, 0) = digest) AS digests, count(*) AS count
FROM (VALUES (''::bytea, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'::bytea),
             ('abc', '\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
             ('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
              '\x248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'),
             ('abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
              '\xcf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1'),
             ('\xbd', '\x68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b'),
             ('\xc98c8e55', '\x7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504'),
             (decode(repeat('00', 1000), 'hex'), '\x541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53'),
             (convert_to(repeat('a', 1000000), 'UTF8'), '\xcdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0')) AS v (data, digest),
     unnest('{t,f}'::boolean[]) AS hardware;

-- Random bytes of every length, whole and in parts about the size of a block, against PostgreSQL's sha256().
CREATE FUNCTION pg_temp.random_bytes(seed text, length integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT substr(string_agg(sha256(convert_to(seed || n, 'UTF8')), ''::bytea ORDER BY n), 1, length)
  FROM generate_series(0, length / 32) AS n
$$;
CREATE TEMPORARY TABLE samples AS
SELECT length, data, sha256(data) AS digest
FROM (SELECT length, pg_temp.random_bytes('s' || length, length) AS data FROM generate_series(0, 1000) AS length) AS s;

SELECT hardware, count(*), count(*) FILTER (WHERE pg_temp.sha256_in(data, hardware, part) IS DISTINCT FROM digest) AS wrong
FROM samples, unnest('{t,f}'::boolean[]) AS hardware, unnest('{0,1,7,55,56,63,64,65,119,120,127,128,129,500}'::integer[]) AS part
GROUP BY hardware ORDER BY hardware;

-- blocks of one bit each
SELECT hardware, count(*), count(*) FILTER (WHERE pg_temp.sha256_in(data, hardware, 0) IS DISTINCT FROM sha256(data)) AS wrong
FROM (SELECT set_bit(decode(repeat('00', bytes), 'hex'), bit, 1) AS data
      FROM unnest('{55,56,64}'::integer[]) AS bytes, generate_series(0, 439) AS bit) AS v, unnest('{t,f}'::boolean[]) AS hardware
GROUP BY hardware ORDER BY hardware;

-- several megabytes
SELECT hardware, part, pg_temp.sha256_in(data, hardware, part) = sha256(data) AS same
FROM (SELECT pg_temp.random_bytes('big', 3000017) AS data) AS v, unnest('{t,f}'::boolean[]) AS hardware, unnest('{0,1000,8192}'::integer[]) AS part
ORDER BY hardware, part;

-- The functions over it: an address, a number and an external id of every length, blanks around them or not.
WITH texts AS (
  SELECT length, around, around || address || around AS email, lower(address COLLATE "C") AS plain_email,
         around || '+' || digits || around AS phone, digits
  FROM (SELECT length, substr(translate(encode(data, 'base64'), E'\n0', '@-'), 1, length) AS address,
               '1' || substr(translate(encode(data, 'hex'), 'abcdef', '123456'), 1, length) AS digits
        FROM samples WHERE length > 0) AS s, unnest(ARRAY['', ' ', E' \t\n ']) AS around)
SELECT count(*),
       count(*) FILTER (WHERE stratum.email_hash(email) IS DISTINCT FROM encode(sha256(convert_to(plain_email, 'UTF8')), 'hex')) AS email,
       count(*) FILTER (WHERE stratum.normalize_email(email) IS DISTINCT FROM plain_email) AS normal_email,
       count(*) FILTER (WHERE stratum.phone_hash(phone) IS DISTINCT FROM encode(sha256(convert_to(digits, 'UTF8')), 'hex')) AS phone,
       count(*) FILTER (WHERE stratum.phone_hash('00' || regexp_replace(digits, '(.)', '\1-', 'g')) IS DISTINCT FROM stratum.phone_hash(phone)) AS parted_phone,
       count(*) FILTER (WHERE stratum.audience_hash('meta', 'email', email) IS DISTINCT FROM stratum.email_hash(email)) AS audience_email,
       count(*) FILTER (WHERE stratum.audience_hash('meta', 'external_id', email)
                              IS DISTINCT FROM encode(sha256(convert_to(btrim(email, E' \t\n'), 'UTF8')), 'hex')) AS audience_id
FROM texts;

-- Every ASCII character in every place of eight, and beside characters beyond ASCII: A-Z alone are folded.
WITH texts AS (
  SELECT repeat('x', before) || chr(code) || repeat(after, 9) AS value
  FROM generate_series(0, 17) AS before, generate_series(1, 255) AS code, unnest(ARRAY['', 'y', 'É']) AS after)
SELECT count(*), count(*) FILTER (WHERE stratum.email_hash(value) IS DISTINCT FROM encode(sha256(convert_to(normal, 'UTF8')), 'hex')) AS wrong
FROM (SELECT value, nullif(translate(btrim(value, E' \t\n\x0B\f\r'), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'), '') AS normal
      FROM texts) AS t;
