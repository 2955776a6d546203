-- serves-from: 0006
-- What a time promises, and that nothing is written into the past. Services/WalletLedger/TIMES.md has the reasons.
--  * A posting's time is the clock's: not before its transaction began, at most 15 s before now, by which every answer about the past lies
--    back, and at most 10 s after now, by which two believed readings of the clock may differ. So are the times of changes and openings.
--  * Within a wallet the entries' times never fall. An entry has its posting's time; but while the wallet's last entry lies ahead of the
--    clock, because a clock was wrong, it has that entry's time.
--  * wallets.last_posted_at changes together with the version only, and comes back when it lies ahead of the clock and of the last entry.
--  * A version belongs to one entry, one change of the wallet's state or one change of a hold, so a new row's version is above what its
--    wallet had before.
-- Each function is as it was before (0004, 0008), with these rules added. The clock is read once per statement.
-- Binaries of before stamp by the latest time in a batch: where wallets are ahead, their batches are refused from here on (500) until they
-- are replaced.

-- As in 0004; a wallet begins open, without a limit, and now. The world's are the 16 fixed ones of their currency, of nobody, and no other.
CREATE OR REPLACE FUNCTION check_opened_wallets() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    earliest timestamptz := greatest(now(), clock_timestamp() - interval '15 seconds');
    latest timestamptz := clock_timestamp() + interval '10 seconds';
BEGIN
    IF EXISTS (
        SELECT FROM opened
        WHERE balance <> 0 OR held <> 0 OR version <> 0 OR status <> 0 OR overdraft_limit <> 0
            OR opened_at < earliest OR opened_at > latest OR last_posted_at <> opened_at
            OR is_world <> (id < '00000000-0000-7001-0000-000000000000')
            OR (is_world AND NOT (
                owner_id IS NULL AND opened_by = 'world'
                AND id::text ~ ('^00000000-0000-7000-8000-0000' || encode(convert_to(currency, 'UTF8'), 'hex') || '0[0-9a-f]$'))))
    THEN
        RAISE EXCEPTION 'a wallet begins empty' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'wallet_begins_empty';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION check_new_entries() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
    latest timestamptz := clock_timestamp() + interval '10 seconds';
BEGIN
    SELECT coalesce(e.wallet_id, p.wallet_id) INTO wrong
    FROM new_entries e FULL JOIN new_entries p ON p.wallet_id = e.wallet_id AND p.version = e.version - 1
    WHERE NOT coalesce(CASE
        WHEN p.version IS NULL THEN true
        WHEN e.version IS NOT NULL THEN e.balance_after - e.amount = p.balance_after AND e.posted_at >= p.posted_at
        ELSE (
            SELECT CASE
                WHEN w.version = p.version THEN w.balance = p.balance_after
                WHEN w.version > p.version THEN
                    coalesce((
                        SELECT x.balance_after = p.balance_after - p.amount AND x.posted_at <= p.posted_at FROM entries x
                        WHERE x.wallet_id = p.wallet_id AND x.version < p.version ORDER BY x.version DESC LIMIT 1),
                        p.balance_after = p.amount)
                    AND coalesce((
                        SELECT x.balance_after - x.amount = p.balance_after AND x.posted_at >= p.posted_at FROM entries x
                        WHERE x.wallet_id = p.wallet_id AND x.version > p.version ORDER BY x.version LIMIT 1),
                        p.balance_after = w.balance)
                END
            FROM wallets w WHERE w.id = p.wallet_id)
        END, false)
    LIMIT 1;
    IF NOT FOUND THEN
        SELECT e.wallet_id INTO wrong
        FROM new_entries e
        WHERE (SELECT c.kind FROM wallet_changes c WHERE c.wallet_id = e.wallet_id AND c.version = e.version) IS NOT NULL
            OR (SELECT c.kind FROM hold_changes c WHERE c.wallet_id = e.wallet_id AND c.version = e.version) <> 2
        LIMIT 1;
    END IF;
    IF NOT FOUND THEN
        SELECT coalesce(d.wallet_id, c.wallet_id) INTO wrong
        FROM (SELECT * FROM new_entries WHERE amount < 0) d
        FULL JOIN (SELECT * FROM new_entries WHERE amount > 0) c ON c.transfer_id = d.transfer_id
        WHERE NOT coalesce((
            SELECT d.amount = -t.amount AND d.wallet_id = t.source_wallet_id AND d.version = t.source_version
                AND c.amount = t.amount AND c.wallet_id = t.destination_wallet_id AND c.version = t.destination_version
                AND (d.posted_at = t.posted_at OR d.posted_at > latest) AND (c.posted_at = t.posted_at OR c.posted_at > latest)
            FROM transfers t WHERE t.id = d.transfer_id), false)
        LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'an entry of wallet % does not follow', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entries_follow';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION check_new_transfers() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
    earliest timestamptz := greatest(now(), clock_timestamp() - interval '15 seconds');
    latest timestamptz := clock_timestamp() + interval '10 seconds';
BEGIN
    SELECT t.id INTO wrong FROM new_transfers t WHERE t.posted_at < earliest OR t.posted_at > latest LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % has another time than its transaction', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transfers_are_now';
    END IF;
    -- Where one of its entries stands, entries_follow has seen both.
    SELECT t.id INTO wrong
    FROM new_transfers t
    WHERE NOT coalesce((
            SELECT e.transfer_id = t.id FROM entries e WHERE e.wallet_id = t.source_wallet_id AND e.version = t.source_version), false)
        OR t.currency IS DISTINCT FROM (SELECT w.currency FROM wallets w WHERE w.id = t.source_wallet_id)
        OR t.currency IS DISTINCT FROM (SELECT w.currency FROM wallets w WHERE w.id = t.destination_wallet_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % lacks an entry or is in another currency than its wallets', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transfers_balance';
    END IF;
    IF EXISTS (SELECT FROM new_transfers WHERE kind >= 4) THEN
        SELECT t.original_id INTO wrong
        FROM (SELECT DISTINCT original_id FROM new_transfers WHERE kind = 4) t
        LEFT JOIN refund_totals r ON r.transfer_id = t.original_id
        WHERE r.refunded IS DISTINCT FROM (SELECT sum(x.amount) FROM transfers x WHERE x.original_id = t.original_id)
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'refunds of transfer % are not counted', wrong
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refunds_counted';
        END IF;
        SELECT t.id INTO wrong
        FROM new_transfers t
        WHERE t.kind = 5 AND NOT coalesce((
            SELECT c.transfer_id = t.id FROM hold_changes c
            WHERE c.wallet_id = t.source_wallet_id AND c.version = t.source_version), false)
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'capture % took from no hold', wrong
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'captures_take_from_holds';
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- `earliest` is where the wallet's time stood: last_posted_at, or the last entry's time where that has been put ahead of the clock.
CREATE OR REPLACE FUNCTION check_changed_wallets() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
    latest timestamptz := clock_timestamp() + interval '10 seconds';
BEGIN
    SELECT coalesce(n.id, o.id) INTO wrong
    FROM new_wallets n FULL JOIN old_wallets o ON o.id = n.id
    LEFT JOIN LATERAL (SELECT * FROM entries x WHERE x.wallet_id = n.id AND x.version = n.version LIMIT 1) e ON true
    LEFT JOIN LATERAL (
        SELECT CASE WHEN o.last_posted_at <= latest THEN o.last_posted_at
            ELSE coalesce((
                SELECT x.posted_at FROM entries x WHERE x.wallet_id = o.id AND x.version <= o.version ORDER BY x.version DESC LIMIT 1),
                o.opened_at)
            END AS earliest
    ) f ON true
    WHERE NOT coalesce(CASE
        WHEN e.version IS NOT NULL AND n.version = o.version + 1 AND n.held = o.held THEN
            e.balance_after = n.balance AND n.balance - o.balance = e.amount AND n.status = o.status
            AND n.overdraft_limit = o.overdraft_limit
            AND e.posted_at >= f.earliest AND e.posted_at <= greatest(f.earliest, latest) AND n.last_posted_at = e.posted_at
        WHEN e.version IS NULL AND NOT EXISTS (SELECT FROM hold_changes h WHERE h.wallet_id = n.id AND h.version = n.version) THEN
            n.version = o.version + 1 AND n.balance = o.balance AND n.held = o.held
            AND EXISTS (
                SELECT FROM wallet_changes c
                WHERE c.wallet_id = n.id AND c.version = n.version AND c.status = n.status AND c.overdraft_limit = n.overdraft_limit)
        ELSE
            n.version > o.version
            AND coalesce(e.balance_after, n.balance) = n.balance AND n.status = o.status AND n.overdraft_limit = o.overdraft_limit
            AND (n.version - o.version, n.balance - o.balance, n.held - o.held, true) = (
                SELECT count(*) FILTER (WHERE s.step), coalesce(sum(s.amount), 0), coalesce(sum(s.held), 0),
                    coalesce(min(s.at) >= f.earliest AND max(s.at) <= least(n.last_posted_at, greatest(f.earliest, latest)), true)
                FROM (
                    SELECT true AS step, x.amount, 0::bigint AS held, x.posted_at AS at
                    FROM entries x WHERE x.wallet_id = n.id AND x.version > o.version AND x.version <= n.version
                    UNION ALL
                    -- The step of a capture is its entry's.
                    SELECT h.kind <> 2, 0, h.placed - h.captured - h.released, NULL
                    FROM hold_changes h WHERE h.wallet_id = n.id AND h.version > o.version AND h.version <= n.version
                ) s)
        END AND n.currency = o.currency AND n.is_world = o.is_world
            AND n.last_posted_at >= f.earliest AND n.last_posted_at <= greatest(o.last_posted_at, latest), false)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'wallet % changed without an entry', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'wallets_follow_entries';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION check_new_wallet_changes() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    earliest timestamptz := greatest(now(), clock_timestamp() - interval '15 seconds');
    latest timestamptz := clock_timestamp() + interval '10 seconds';
BEGIN
    IF EXISTS (
        SELECT FROM new_changes c LEFT JOIN wallets w ON w.id = c.wallet_id
        WHERE NOT coalesce(
            w.version = c.version AND w.status = c.status AND w.overdraft_limit = c.overdraft_limit
            AND c.changed_at >= earliest AND c.changed_at <= latest
            AND NOT EXISTS (SELECT FROM entries e WHERE e.wallet_id = c.wallet_id AND e.version = c.version)
            AND NOT EXISTS (SELECT FROM hold_changes h WHERE h.wallet_id = c.wallet_id AND h.version = c.version), false))
    THEN
        RAISE EXCEPTION 'a change of state does not fit its wallet'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'wallet_changes_follow';
    END IF;
    RETURN NULL;
END $$;

-- As in 0008; and only what has expired by the clock expires, nothing else of it is taken or given back after that.
CREATE OR REPLACE FUNCTION check_new_hold_changes() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
    clock timestamptz := greatest(clock_timestamp(), now());
    earliest timestamptz := greatest(now(), clock - interval '15 seconds');
    latest timestamptz := clock + interval '10 seconds';
BEGIN
    SELECT c.hold_id INTO wrong
    FROM new_changes c
    WHERE NOT coalesce(
        c.changed_at >= earliest AND c.changed_at <= latest
        AND c.held_after = c.placed - c.captured - c.released + coalesce((
            SELECT p.held_after FROM hold_changes p
            WHERE p.wallet_id = c.wallet_id AND p.version < c.version ORDER BY p.version DESC LIMIT 1), 0)
        AND coalesce((
            SELECT x.held_after - (x.placed - x.captured - x.released) FROM hold_changes x
            WHERE x.wallet_id = c.wallet_id AND x.version > c.version ORDER BY x.version LIMIT 1), (
            SELECT CASE WHEN w.version >= c.version THEN w.held END FROM wallets w WHERE w.id = c.wallet_id)) = c.held_after
        AND (
            SELECT hold_fits(h) AND CASE c.kind
                WHEN 1 THEN h.placed_at = c.changed_at WHEN 4 THEN h.expires_at <= clock ELSE h.expires_at > now() END
            FROM holds h WHERE h.id = c.hold_id)
        AND NOT EXISTS (SELECT FROM wallet_changes x WHERE x.wallet_id = c.wallet_id AND x.version = c.version)
        AND CASE WHEN c.kind = 2 THEN (
                SELECT t.kind = 5 AND t.hold_id = c.hold_id AND t.source_wallet_id = c.wallet_id AND t.source_version = c.version
                    AND t.amount = c.captured AND t.destination_wallet_id = h.destination_wallet_id
                FROM transfers t, holds h WHERE t.id = c.transfer_id AND h.id = c.hold_id)
            ELSE NOT EXISTS (SELECT FROM entries e WHERE e.wallet_id = c.wallet_id AND e.version = c.version) END, false)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a change of hold % does not follow', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hold_changes_follow';
    END IF;
    RETURN NULL;
END $$;
