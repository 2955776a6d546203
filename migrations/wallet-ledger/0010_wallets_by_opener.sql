-- serves-from: 0006
-- no-transaction
-- A client lists the wallets that it opened, page by page in the order of ids. Neither column ever changes, so an update of a balance
-- touches no index as before.
CREATE INDEX CONCURRENTLY wallets_by_opener ON wallets (opened_by, id) WHERE NOT is_world;
