-- serves-from: 0015
-- no-transaction
-- A summary per block range finds the expired keys only until the first were deleted: their places are filled again, and a range that
-- ever held an old key counts as old.
CREATE INDEX CONCURRENTLY idempotency_keys_by_time ON idempotency_keys (created_at);
