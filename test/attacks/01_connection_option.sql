-- The setting comes with the connection.
\setenv PGOPTIONS '-c stratum.context=2\\ 0\\ 1\\ -1\\ -1\\ -1: -c app.tenant_id=2 -c app.user=mal'
\c - mallory
SELECT attack.control('options of a connection do arrive', current_setting('app.user') = 'mal');
SELECT attack.held('rows of the victim', count(*) = 0) FROM stratum.cdp_profiles;
SELECT * FROM stratum.cdp_profiles;
SELECT stratum.current_tenant_id();
SELECT attack.held('once the library is loaded', count(*) = 0) FROM stratum.cdp_profiles;
RESET ALL;
SELECT attack.held('after RESET ALL, which goes back to the options', count(*) = 0) FROM stratum.cdp_profiles;
\setenv PGOPTIONS ''
