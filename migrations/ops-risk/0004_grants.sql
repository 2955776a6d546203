-- serves-from: 0004
-- The serving role owns nothing and may only do what serving needs; the relay sees the outbox and nothing else.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ops_risk, ops_risk_relay;

GRANT SELECT, INSERT ON customer_debits, idempotency_keys TO ops_risk;
GRANT EXECUTE ON FUNCTION prune_customer_debits(interval, integer), expire_idempotency_keys(integer) TO ops_risk;
GRANT SELECT ON risk_alerts TO ops_risk;
GRANT INSERT (id, rule, wallet_id, transfer_id, amount, currency, occurred_at, raised_at, threshold, debit_count, debit_limit,
    window_seconds, window_start) ON risk_alerts TO ops_risk;
GRANT UPDATE (resolution, note, resolved_by, resolved_through, resolved_at) ON risk_alerts TO ops_risk;

-- What is written is the relay's to read.
GRANT INSERT ON outbox_events TO ops_risk;

GRANT SELECT, INSERT ON processed_events, dead_letter_events, replay_runs TO ops_risk;
GRANT UPDATE (type, partition_key, occurred_at, traceparent, message_id, content_type, routing_key, headers, body, body_key_id,
    body_mac, error_class, reason, attempts, first_failed_at, last_failed_at, status, replay_run, note, settled_at, settled_by)
    ON dead_letter_events TO ops_risk;
GRANT UPDATE (selected, replayed, already_applied, failed, skipped, finished_at, ending) ON replay_runs TO ops_risk;
GRANT EXECUTE ON FUNCTION expire_processed_events(integer), expire_dead_letters(integer) TO ops_risk;

GRANT SELECT ON outbox_events, outbox_events_id_seq, outbox_retention TO ops_risk_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON relay_members, outbox_held TO ops_risk_relay;
GRANT SELECT ON relay_partitions TO ops_risk_relay;
GRANT UPDATE (owner, epoch, expires_at, published_through) ON relay_partitions TO ops_risk_relay;
GRANT EXECUTE ON FUNCTION prune_outbox(interval, integer) TO ops_risk_relay;
