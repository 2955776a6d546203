-- 10 000 wallets of one owner for cells C and D, opened and given their overdraft limit as the service does it. They begin empty, as every
-- wallet does; the limit is what lets money move between them, so no balance is made up and `wallet-ledger verify` stays clean.
INSERT INTO wallets (id, owner_id, opened_by, currency, opened_at, last_posted_at)
SELECT
    (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || 'a' || substr(md5(n::text), 1, 15))::uuid,
    :'owner', 'user:' || :'user', 'EUR', now(), now()
FROM generate_series(1, 10000) n;
WITH changed AS (
    UPDATE wallets SET overdraft_limit = 1000000000000, version = 1, last_posted_at = now() WHERE owner_id = :'owner' RETURNING *
)
INSERT INTO wallet_changes (wallet_id, version, kind, status, overdraft_limit, reason, caller, changed_by, changed_at)
SELECT id, 1, 4, 0, overdraft_limit, 'benchmark', 'fleetctl', 'benchmark', last_posted_at FROM changed;
