-- serves-from: 0006
-- no-transaction
-- What a wallet still sets aside is found without what has ended.
CREATE INDEX CONCURRENTLY holds_open ON holds (wallet_id, id) WHERE status = 0;
