-- serves-from: 0006
-- As 0005 and 0009 wrote them, with a time for each row instead of one for the batch, so that no wallet's time depends on a stranger's in
-- the same batch; `clock` is the server's, for the keys. Binaries of before go on calling the functions of before, which a later release drops.
CREATE FUNCTION write_batch(
    clock timestamptz,
    wallet_ids uuid[], wallet_balances bigint[], wallet_versions bigint[], wallet_previous_versions bigint[],
    wallet_times timestamptz[],
    transfer_ids uuid[], kinds smallint[], amounts bigint[], currencies text[],
    source_ids uuid[], source_versions bigint[], source_balances bigint[],
    destination_ids uuid[], destination_versions bigint[], destination_balances bigint[],
    original_ids uuid[], principals text[], refs text[], transfer_key_ids uuid[],
    transfer_times timestamptz[], source_times timestamptz[], destination_times timestamptz[],
    refunded_ids uuid[], refunded_originals bigint[], refunded_amounts bigint[],
    key_ids uuid[], key_callers text[], key_principals text[], keys text[], key_requests text[], key_outcomes smallint[],
    key_subjects uuid[], key_refusals text[], key_request_ids text[],
    event_ids uuid[], event_types text[], event_subjects text[], event_partitions text[], event_traces text[], event_data text[],
    event_times timestamptz[]
) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    updated bigint;
BEGIN
    WITH changed AS (
        UPDATE wallets w
        SET balance = u.balance, version = u.version, last_posted_at = u.at
        FROM unnest(wallet_ids, wallet_balances, wallet_versions, wallet_previous_versions, wallet_times)
            u (id, balance, version, previous, at)
        WHERE w.id = u.id AND w.version = u.previous
        RETURNING 1
    ), posted AS (
        INSERT INTO transfers (id, kind, amount, currency, source_wallet_id, source_version, destination_wallet_id,
            destination_version, original_id, ordered_by, reference, key_id, posted_at)
        SELECT u.*
        FROM unnest(transfer_ids, kinds, amounts, currencies, source_ids, source_versions, destination_ids, destination_versions,
            original_ids, principals, refs, transfer_key_ids, transfer_times) u
    ), debits AS (
        INSERT INTO entries (wallet_id, version, transfer_id, amount, balance_after, posted_at)
        SELECT u.wallet_id, u.version, u.transfer_id, u.amount, u.balance_after, u.at
        FROM (
            SELECT * FROM unnest(source_ids, source_versions, transfer_ids, source_balances, source_times, amounts)
                d (wallet_id, version, transfer_id, balance_after, at, unsigned), LATERAL (SELECT -d.unsigned AS amount) s
            UNION ALL
            SELECT * FROM unnest(destination_ids, destination_versions, transfer_ids, destination_balances, destination_times, amounts)
                c (wallet_id, version, transfer_id, balance_after, at, unsigned), LATERAL (SELECT c.unsigned AS amount) s
        ) u
    ), refunds AS (
        INSERT INTO refund_totals AS r (transfer_id, amount, refunded)
        SELECT * FROM unnest(refunded_ids, refunded_originals, refunded_amounts)
        ON CONFLICT (transfer_id) DO UPDATE SET refunded = r.refunded + excluded.refunded
    ), decided AS (
        INSERT INTO idempotency_keys (id, caller, principal, key, request, outcome, subject_id, refusal, refused_request_id, created_at)
        SELECT u.*, clock
        FROM unnest(key_ids, key_callers, key_principals, keys, key_requests, key_outcomes, key_subjects, key_refusals,
            key_request_ids) u (id)
        ORDER BY u.id -- two replicas that insert the same keys wait for each other in one order
    ), told AS (
        INSERT INTO outbox_events (event_id, type, subject, partition_key, traceparent, data, occurred_at)
        SELECT u.*
        FROM unnest(event_ids, event_types, event_subjects, event_partitions, event_traces, event_data, event_times) u
    )
    SELECT count(*) INTO updated FROM changed;
    IF updated <> cardinality(wallet_ids) THEN
        RAISE EXCEPTION 'a wallet changed under its lock' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$;

CREATE FUNCTION post_batch(
    clock timestamptz,
    wallet_ids uuid[], wallet_balances bigint[], wallet_helds bigint[], wallet_versions bigint[], wallet_previous_versions bigint[],
    wallet_times timestamptz[],
    transfer_ids uuid[], kinds smallint[], amounts bigint[], currencies text[],
    source_ids uuid[], source_versions bigint[], source_balances bigint[],
    destination_ids uuid[], destination_versions bigint[], destination_balances bigint[],
    original_ids uuid[], capture_hold_ids uuid[], principals text[], refs text[], transfer_key_ids uuid[],
    transfer_times timestamptz[], source_times timestamptz[], destination_times timestamptz[],
    refunded_ids uuid[], refunded_originals bigint[], refunded_amounts bigint[],
    key_ids uuid[], key_callers text[], key_principals text[], keys text[], key_requests text[], key_outcomes smallint[],
    key_subjects uuid[], key_subject_versions bigint[], key_refusals text[], key_request_ids text[],
    event_ids uuid[], event_types text[], event_subjects text[], event_partitions text[], event_traces text[], event_data text[],
    event_times timestamptz[],
    hold_ids uuid[], hold_wallets uuid[], hold_destinations uuid[], hold_amounts bigint[], hold_currencies text[], hold_captured bigint[],
    hold_statuses smallint[], hold_principals text[], hold_placed_at timestamptz[], hold_expires_at timestamptz[],
    change_wallets uuid[], change_versions bigint[], change_holds uuid[], change_kinds smallint[], change_placed bigint[],
    change_captured bigint[], change_released bigint[], change_held_after bigint[], change_captured_after bigint[],
    change_status_after smallint[], change_transfers uuid[], change_events uuid[],
    change_times timestamptz[]
) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    updated bigint;
BEGIN
    WITH changed AS (
        UPDATE wallets w
        SET balance = u.balance, held = u.held, version = u.version, last_posted_at = u.at
        FROM unnest(wallet_ids, wallet_balances, wallet_helds, wallet_versions, wallet_previous_versions, wallet_times)
            u (id, balance, held, version, previous, at)
        WHERE w.id = u.id AND w.version = u.previous
        RETURNING 1
    ), posted AS (
        INSERT INTO transfers (id, kind, amount, currency, source_wallet_id, source_version, destination_wallet_id,
            destination_version, original_id, hold_id, ordered_by, reference, key_id, posted_at)
        SELECT u.*
        FROM unnest(transfer_ids, kinds, amounts, currencies, source_ids, source_versions, destination_ids, destination_versions,
            original_ids, capture_hold_ids, principals, refs, transfer_key_ids, transfer_times) u
    ), debits AS (
        INSERT INTO entries (wallet_id, version, transfer_id, amount, balance_after, posted_at)
        SELECT u.wallet_id, u.version, u.transfer_id, u.amount, u.balance_after, u.at
        FROM (
            SELECT * FROM unnest(source_ids, source_versions, transfer_ids, source_balances, source_times, amounts)
                d (wallet_id, version, transfer_id, balance_after, at, unsigned), LATERAL (SELECT -d.unsigned AS amount) s
            UNION ALL
            SELECT * FROM unnest(destination_ids, destination_versions, transfer_ids, destination_balances, destination_times, amounts)
                c (wallet_id, version, transfer_id, balance_after, at, unsigned), LATERAL (SELECT c.unsigned AS amount) s
        ) u
    ), refunds AS (
        INSERT INTO refund_totals AS r (transfer_id, amount, refunded)
        SELECT * FROM unnest(refunded_ids, refunded_originals, refunded_amounts)
        ON CONFLICT (transfer_id) DO UPDATE SET refunded = r.refunded + excluded.refunded
    ), decided AS (
        INSERT INTO idempotency_keys (id, caller, principal, key, request, outcome, subject_id, subject_version, refusal,
            refused_request_id, created_at)
        SELECT u.*, clock
        FROM unnest(key_ids, key_callers, key_principals, keys, key_requests, key_outcomes, key_subjects, key_subject_versions,
            key_refusals, key_request_ids) u (id)
        ORDER BY u.id -- two replicas that insert the same keys wait for each other in one order
    ), held AS (
        INSERT INTO holds AS h (id, wallet_id, destination_wallet_id, amount, currency, captured, status, placed_by, placed_at, expires_at)
        SELECT * FROM unnest(hold_ids, hold_wallets, hold_destinations, hold_amounts, hold_currencies, hold_captured, hold_statuses,
            hold_principals, hold_placed_at, hold_expires_at)
        ON CONFLICT (id) DO UPDATE SET captured = excluded.captured, status = excluded.status
    ), changes AS (
        INSERT INTO hold_changes (wallet_id, version, hold_id, kind, placed, captured, released, held_after, captured_after, status_after,
            transfer_id, event_id, changed_at)
        SELECT u.*
        FROM unnest(change_wallets, change_versions, change_holds, change_kinds, change_placed, change_captured, change_released,
            change_held_after, change_captured_after, change_status_after, change_transfers, change_events,
            change_times) u
    ), told AS (
        INSERT INTO outbox_events (event_id, type, subject, partition_key, traceparent, data, occurred_at)
        SELECT u.*
        FROM unnest(event_ids, event_types, event_subjects, event_partitions, event_traces, event_data, event_times) u
    )
    SELECT count(*) INTO updated FROM changed;
    IF updated <> cardinality(wallet_ids) THEN
        RAISE EXCEPTION 'a wallet changed under its lock' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$;
