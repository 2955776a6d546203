-- serves-from: 0003
-- The serving role owns nothing and may only do what serving needs; the relay sees the outbox and nothing else.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO wallet_ledger, wallet_ledger_relay;

GRANT SELECT, INSERT ON wallets, transfers, entries, refund_totals, idempotency_keys, wallet_changes, outbox_events TO wallet_ledger;
GRANT UPDATE (balance, held, overdraft_limit, status, version, last_posted_at) ON wallets TO wallet_ledger;
GRANT UPDATE (refunded) ON refund_totals TO wallet_ledger;
GRANT EXECUTE ON FUNCTION expire_idempotency_keys(integer) TO wallet_ledger;

GRANT SELECT ON outbox_events TO wallet_ledger_relay;
