-- Identifiers in the form that each platform matches on.

-- What each platform takes: in clear, hashed, or not at all.
CREATE FUNCTION pg_temp.form(platform text, identifier_type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  sample constant text := CASE identifier_type WHEN 'country' THEN 'us' WHEN 'date_of_birth' THEN '19970216'
                                               WHEN 'gender' THEN 'f' ELSE '1234' END;
BEGIN
  RETURN CASE WHEN length(stratum.audience_hash(platform, identifier_type, sample)) = 64 THEN 'hash' ELSE 'clear' END;
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN NULL;
END $$;

SELECT identifier_type,
       pg_temp.form('meta', identifier_type) AS meta, pg_temp.form('google', identifier_type) AS google,
       pg_temp.form('tiktok', identifier_type) AS tiktok, pg_temp.form('snapchat', identifier_type) AS snapchat
FROM unnest(ARRAY['email', 'phone', 'first_name', 'last_name', 'city', 'state', 'zip', 'country', 'external_id',
                  'date_of_birth', 'gender', 'mobile_ad_id']) AS identifier_type;

-- examples that the platforms publish
SELECT stratum.audience_hash('meta', 'email', 'John_Smith@gmail.com') =
         '62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f' AS meta_email,
       stratum.audience_hash('meta', 'date_of_birth', '2/16/1997') =
         '01acdbf6ec7b4f478a225f1a246e5d6767eeab1a7ffa17f025265b5b94f40f0c' AS meta_birth,
       stratum.audience_hash('tiktok', 'email', 'janedoe@gmail.com') =
         'd6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69' AS tiktok_email,
       stratum.audience_hash('tiktok', 'mobile_ad_id', '5F3A2B18-9C4D-4E7F-B8E2-17D3A1E69B25') =
         '83dc3f5f32b9472613b0f038d36f22585a609d018af6f6067f50da318bf354bd' AS tiktok_device,
       stratum.audience_hash('snapchat', 'email', 'Person@Example.com') =
         '542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345' AS snapchat_email,
       stratum.audience_hash('snapchat', 'phone', '+44 844 412 4653') =
         'dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383' AS snapchat_phone,
       stratum.audience_hash('snapchat', 'first_name', 'Raphaël') =
         'e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7' AS snapchat_name;

-- the rules: what is hashed, or returned where the platform takes it in clear
CREATE TEMPORARY TABLE cases (types text[], value text, meta text, google text, tiktok text, snapchat text);
INSERT INTO cases VALUES
  ('{email}', ' Jane.Doe+News@GMail.com ', 'jane.doe+news@gmail.com', 'janedoe@gmail.com', 'jane.doe@gmail.com', 'jane.doe+news@gmail.com'),
  ('{email}', 'J.D@googlemail.com', 'j.d@googlemail.com', 'jd@googlemail.com', 'j.d@googlemail.com', 'j.d@googlemail.com'),
  ('{email}', 'User.Name+NYC@Example.com', 'user.name+nyc@example.com', 'user.name+nyc@example.com', 'user.name@example.com', 'user.name+nyc@example.com'),
  ('{email}', 'a.b@gmail.com.example.org', 'a.b@gmail.com.example.org', 'a.b@gmail.com.example.org', 'a.b@gmail.com.example.org', 'a.b@gmail.com.example.org'),
  ('{email}', 'a b@c.d', 'a b@c.d', 'ab@c.d', 'ab@c.d', 'a b@c.d'),
  ('{email}', '+tag@gmail.com', '+tag@gmail.com', NULL, NULL, '+tag@gmail.com'),
  ('{email}', 'No.Address+X', 'no.address+x', 'no.address+x', 'no.address+x', 'no.address+x'),
  ('{phone}', '+1 (650) 555-1212', '16505551212', '+16505551212', '+16505551212', '16505551212'),
  ('{phone}', '0044 844 412 4653', '448444124653', '+448444124653', '+448444124653', '448444124653'),
  ('{phone}', 'none', NULL, NULL, NULL, NULL),
  ('{phone}', '000', NULL, NULL, NULL, NULL),
  ('{first_name}', '  Mary-Ann  O''Neil, Jr. ', 'maryannoneiljr', 'mary-ann o''neil, jr.', 'maryann oneil jr', 'maryann oneil jr'),
  ('{last_name}', '  Mary-Ann  O''Neil, Jr. ', 'maryannoneiljr', 'maryann oneil jr', 'maryann oneil jr', 'maryann oneil jr'),
  ('{first_name,last_name}', 'VALÉRY', 'valéry', 'valéry', 'valéry', 'valéry'),
  ('{first_name,last_name}', '정', '정', '정', '정', '정'),
  ('{last_name}', 'O’Brien', 'obrien', 'obrien', 'obrien', 'obrien'),
  ('{last_name}', '...', NULL, NULL, NULL, NULL),
  ('{city}', ' New York ', 'newyork', 'New York', 'newyork', 'newyork'),
  ('{city}', 'St. John''s', 'stjohns', 'St. John''s', 'stjohns', 'stjohns'),
  ('{city}', 'São Paulo', 'sãopaulo', 'São Paulo', 'sãopaulo', 'sãopaulo'),
  ('{state}', 'CA', 'ca', 'CA', 'ca', 'ca'),
  ('{state}', 'California', 'ca', 'California', 'ca', 'ca'),
  ('{state}', 'New  Hampshire', 'nh', 'New  Hampshire', 'nh', 'nh'),
  ('{state}', 'Baden-Württemberg', 'badenwürttemberg', 'Baden-Württemberg', 'badenwürttemberg', 'badenwürttemberg'),
  ('{zip}', '94035-1234', '94035', '94035-1234', '94035', '94035'),
  ('{zip}', '94035', '94035', '94035', '94035', '94035'),
  ('{zip}', 'M1 1AE', 'm11ae', 'M1 1AE', 'm11ae', 'm11ae'),
  ('{zip}', '01310-100', '01310100', '01310-100', '01310100', '01310100'),
  ('{country}', ' US', 'us', 'US', 'us', 'us'),
  ('{country}', 'gb', 'gb', 'GB', 'gb', 'gb'),
  ('{country}', 'USA', NULL, NULL, NULL, NULL),
  ('{country}', 'ß', NULL, NULL, NULL, NULL),
  ('{external_id}', ' User-42 ', 'User-42', 'User-42', 'User-42', 'User-42'),
  ('{mobile_ad_id}', 'AB1234CD-E123-12F0-0123-000000000000', 'ab1234cd-e123-12f0-0123-000000000000', 'AB1234CD-E123-12F0-0123-000000000000', 'ab1234cd-e123-12f0-0123-000000000000', 'ab1234cd-e123-12f0-0123-000000000000'),
  ('{mobile_ad_id}', '00000000-0000-0000-0000-000000000000', NULL, NULL, NULL, NULL);
INSERT INTO cases (types, value, meta, snapchat) VALUES
  ('{date_of_birth}', '1997-02-16', '19970216', '19970216'), ('{date_of_birth}', '19970216', '19970216', '19970216'),
  ('{date_of_birth}', '1997/2/16', '19970216', '19970216'), ('{date_of_birth}', '16.2.1997', '19970216', '19970216'),
  ('{date_of_birth}', '2/3/1997', '19970203', '19970203'), ('{date_of_birth}', '2000-02-29', '20000229', '20000229'),
  ('{date_of_birth}', '1997-02-16 00:00:00+00', '19970216', '19970216'), ('{date_of_birth}', '1997-02-16T00:00', '19970216', '19970216'),
  ('{date_of_birth}', '1900-02-29', NULL, NULL), ('{date_of_birth}', '1899-12-31', NULL, NULL), ('{date_of_birth}', '2/30/1997', NULL, NULL),
  ('{date_of_birth}', '1997-13-01', NULL, NULL), ('{date_of_birth}', '97-02-16', NULL, NULL), ('{date_of_birth}', '1997', NULL, NULL),
  ('{date_of_birth}', '1997-02-16x', NULL, NULL), ('{date_of_birth}', '199702161', NULL, NULL), ('{date_of_birth}', 'unknown', NULL, NULL),
  ('{gender}', 'F', 'f', 'f'), ('{gender}', 'Female', 'f', 'f'), ('{gender}', 'man', 'm', 'm'), ('{gender}', 'x', NULL, NULL);

SELECT platform, count(*) AS checked,
       count(*) FILTER (WHERE found IS DISTINCT FROM expected) AS wrong,
       string_agg(format('%s(%s): %s', identifier_type, value, coalesce(found, 'NULL')), E'\n') FILTER (WHERE found IS DISTINCT FROM expected) AS which
FROM (SELECT platform, identifier_type, value, stratum.audience_hash(platform, identifier_type, value) AS found,
             CASE pg_temp.form(platform, identifier_type)
               WHEN 'hash' THEN encode(sha256(convert_to(normal, 'UTF8')), 'hex') ELSE normal END AS expected
      FROM cases, unnest(types) AS identifier_type,
           (VALUES (1, 'meta'), (2, 'google'), (3, 'tiktok'), (4, 'snapchat')) AS p (i, platform),
           LATERAL (SELECT (ARRAY[meta, google, tiktok, snapchat])[i]) AS n (normal)
      WHERE pg_temp.form(platform, identifier_type) IS NOT NULL) AS checked
GROUP BY platform ORDER BY platform;

-- whatever the value, it is no error
SELECT setseed(0.75);
WITH samples AS (
  SELECT string_agg(substr(E' \t\n\x0BABXYZabz@@..++--/()0123459ÄéßЖİẞ漢😀\u00A0\u2019', 1 + floor(random() * 43)::int, 1), '') AS value
  FROM generate_series(1, 3000) AS i, generate_series(1, 1 + i % 13)
  GROUP BY i)
SELECT platform, count(DISTINCT identifier_type) AS types, count(found) > 10000 AS many,
       count(*) FILTER (WHERE length(found) <> 64 AND pg_temp.form(platform, identifier_type) = 'hash') AS odd
FROM samples, unnest(ARRAY['meta', 'google', 'tiktok', 'snapchat']) AS platform,
     unnest(ARRAY['email', 'phone', 'first_name', 'last_name', 'city', 'state', 'zip', 'country', 'external_id', 'mobile_ad_id']) AS identifier_type,
     stratum.audience_hash(platform, identifier_type, value) AS found
GROUP BY platform ORDER BY platform;

-- blank and NULL
SELECT DISTINCT stratum.audience_hash(platform, identifier_type, value) AS nothing
FROM unnest(ARRAY['meta', 'google', 'tiktok', 'snapchat']) AS platform,
     unnest(ARRAY['email', 'phone', 'first_name', 'last_name', 'city', 'state', 'zip', 'country', 'external_id', 'mobile_ad_id']) AS identifier_type,
     unnest(ARRAY[NULL, '', E' \t\n']) AS value;
SELECT stratum.audience_hash(NULL, 'email', 'a@b') AS platform, stratum.audience_hash('meta', NULL, 'a@b') AS identifier_type;

-- letter case is that of our own table, in every database
SELECT script, stratum.audience_hash('meta', 'last_name', capitals) = encode(sha256(convert_to(small, 'UTF8')), 'hex') AS same
FROM (VALUES ('Latin-1', 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞ', 'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþ'),
             ('Latin Extended-A', 'ĀĄĆČĎĐĒĘĚĞĢĪĮİĲĶĹĻĽŁŃŅŇŐŒŔŘŚŞŠŢŤŪŮŰŲŴŶŸŹŻŽ', 'āąćčďđēęěğģīįiĳķĺļľłńņňőœŕřśşšţťūůűųŵŷÿźżž'),
             ('Romanian', 'ȘȚ', 'șț'), ('Vietnamese', 'ƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ', 'ơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ'),
             ('German', 'ẞ', 'ß'), ('Greek', 'ΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫ', 'άέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋ'),
             ('Cyrillic', 'ЀЁЂЄІЇЈЉЊЋЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯҐҒҚҢӀӁӘӨҮҺ', 'ѐёђєіїјљњћўџабвгдежзийклмнопрстуфхцчшщъыьэюяґғқңӏӂәөүһ'),
             ('Armenian', 'ԱԲՖ', 'աբֆ'), ('full width', 'ＡＺ', 'ａｚ'), ('unchanged', '×÷ªºŉſƀ漢字日本', '×÷ªºŉſƀ漢字日本')) AS v (script, capitals, small);

-- and never makes a character longer
SELECT count(*) AS checked, count(*) FILTER (WHERE octet_length(stratum.audience_hash('tiktok', 'city', chr(c))) > octet_length(chr(c))) AS longer
FROM generate_series(1, 200000) AS c WHERE c NOT BETWEEN 55296 AND 57343;

-- errors name what is known
\set VERBOSITY sqlstate
SELECT stratum.audience_hash('linkedin', 'email', 'a@b');
SELECT stratum.audience_hash('google', 'gender', 'f');
\set VERBOSITY default
SELECT stratum.audience_hash('Meta', 'email', 'a@b');
SELECT stratum.audience_hash('', 'email', 'a@b');
SELECT stratum.audience_hash('google', 'gender', 'f');
SELECT stratum.audience_hash('meta', 'E-Mail', 'a@b');
