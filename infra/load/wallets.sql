-- 10 000 wallets of one owner for cells C and D, opened as the service opens them. They begin empty, as every wallet does; the
-- overdraft limit is what lets money move between them, so no balance is made up and `wallet-ledger verify` stays clean.
INSERT INTO wallets (id, owner_id, opened_by, currency, overdraft_limit, opened_at, last_posted_at)
SELECT
    (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || 'a' || substr(md5(n::text), 1, 15))::uuid,
    :'owner', 'user:' || :'user', 'EUR', 1000000000000, now(), now()
FROM generate_series(1, 10000) n;
