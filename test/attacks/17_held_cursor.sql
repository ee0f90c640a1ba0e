-- The victim's request has left a cursor open in the pooled session.
\c - mallory
BEGIN;
SELECT stratum.enter(2);
DECLARE held CURSOR WITH HOLD FOR SELECT name FROM stratum.campaigns WHERE tenant_id = 2;
DECLARE open CURSOR FOR SELECT name FROM stratum.campaigns;
SELECT attack.control('it has the rows', count(*) = 10) FROM stratum.campaigns;
COMMIT;
-- whoever acts for another tenant must not find it
BEGIN;
SELECT stratum.enter(1);
FETCH ALL FROM held;
COMMIT;
BEGIN;
SELECT stratum.enter(1);
FETCH ALL FROM open;
COMMIT;
SELECT attack.held('enter() while it is open', attack.try('SELECT stratum.enter(1)') <> '1 rows');
CLOSE ALL;
-- across leave()
BEGIN;
SELECT stratum.enter(1);
DECLARE mine CURSOR WITH HOLD FOR SELECT name FROM stratum.campaigns;
SELECT stratum.leave();
FETCH 1 FROM mine;
COMMIT;
SELECT attack.held('the same tenant goes on with its own', attack.try('SELECT stratum.enter(1)') = '1 rows');
FETCH 1 FROM mine;
SELECT attack.held('and without rights to more', count(*) = 0) FROM stratum.campaigns;
