-- serves-from: 0006
-- no-transaction
DROP INDEX CONCURRENTLY wallets_by_owner;
