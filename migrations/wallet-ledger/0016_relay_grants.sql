-- serves-from: 0015
-- What the relay of this outbox may do: read events, keep its own state, and delete old events by the owner's function alone.
GRANT SELECT ON outbox_events_id_seq, outbox_retention TO wallet_ledger_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON relay_members, outbox_held TO wallet_ledger_relay;
GRANT SELECT ON relay_partitions TO wallet_ledger_relay;
GRANT UPDATE (owner, epoch, expires_at, published_through) ON relay_partitions TO wallet_ledger_relay;
GRANT EXECUTE ON FUNCTION prune_outbox(interval, integer) TO wallet_ledger_relay;

-- `verify` tells an event that was deleted from one that was never written.
GRANT SELECT ON outbox_retention TO wallet_ledger;
