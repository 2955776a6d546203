-- serves-from: 0006
-- A hold sets a part of a wallet's balance aside for another wallet. What all holds of a wallet set aside is wallets.held.
CREATE TABLE holds (
    id uuid PRIMARY KEY,
    wallet_id uuid NOT NULL,
    destination_wallet_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
    currency text NOT NULL,
    captured bigint NOT NULL DEFAULT 0,
    -- 0 open, 1 captured, 2 voided, 3 expired
    status smallint NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 3),
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > placed_at),
    CONSTRAINT holds_two_wallets CHECK (wallet_id <> destination_wallet_id),
    CONSTRAINT holds_within_amount CHECK (captured BETWEEN 0 AND amount),
    CONSTRAINT holds_end CHECK (CASE status WHEN 0 THEN captured < amount WHEN 1 THEN captured > 0 ELSE captured < amount END)
) WITH (fillfactor = 70);

CREATE INDEX holds_by_wallet ON holds (wallet_id, id);
-- What the expiry looks for; a hold leaves it when it ends.
CREATE INDEX holds_due ON holds (expires_at) WHERE status = 0;

-- What happened to holds. Append only; a capture has the version of its entry, every other change one of its own.
CREATE TABLE hold_changes (
    wallet_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    hold_id uuid NOT NULL,
    -- 1 placed, 2 captured, 3 voided, 4 expired
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 4),
    placed bigint NOT NULL CHECK ((kind = 1) = (placed > 0) AND placed >= 0),
    captured bigint NOT NULL CHECK ((kind = 2) = (captured > 0) AND captured >= 0),
    released bigint NOT NULL CHECK (released >= 0 AND (kind <> 1 OR released = 0) AND (kind < 3 OR released > 0)),
    held_after bigint NOT NULL CHECK (held_after BETWEEN 0 AND 9007199254740991),
    captured_after bigint NOT NULL,
    status_after smallint NOT NULL,
    transfer_id uuid CHECK ((kind = 2) = (transfer_id IS NOT NULL)),
    event_id uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (wallet_id, version)
);

CREATE INDEX hold_changes_by_hold ON hold_changes (hold_id);

ALTER TABLE transfers ADD COLUMN hold_id uuid;
ALTER TABLE transfers DROP CONSTRAINT transfers_kind_check;
-- 1 transfer, 2 deposit, 3 withdrawal, 4 refund, 5 capture
ALTER TABLE transfers
    ADD CONSTRAINT transfers_kind_check CHECK (kind BETWEEN 1 AND 5),
    ADD CONSTRAINT transfers_capture_names_hold CHECK ((kind = 5) = (hold_id IS NOT NULL));

CREATE TRIGGER holds_are_kept BEFORE DELETE OR TRUNCATE ON holds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER hold_changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON hold_changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The rules of 0004 for holds, checked in the same way: once per statement, by look-ups only.

-- Whether a hold is what its changes made of it.
CREATE FUNCTION hold_fits(hold holds) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        count(*) FILTER (WHERE c.kind = 1) = 1 AND sum(c.placed) = hold.amount AND sum(c.captured) = hold.captured
            AND (hold.status = 2) = bool_or(c.kind = 3) AND (hold.status = 3) = bool_or(c.kind = 4)
            AND sum(c.placed - c.captured - c.released) = CASE hold.status WHEN 0 THEN hold.amount - hold.captured ELSE 0 END
            AND bool_and(c.wallet_id = hold.wallet_id), false)
    FROM hold_changes c WHERE c.hold_id = hold.id
$$;

CREATE FUNCTION check_new_holds() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT h.id INTO wrong FROM new_holds n JOIN holds h ON h.id = n.id WHERE NOT hold_fits(h) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'hold % is not what its changes made of it', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'holds_follow_changes';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER holds_inserted AFTER INSERT ON holds REFERENCING NEW TABLE AS new_holds
    FOR EACH STATEMENT EXECUTE FUNCTION check_new_holds();

CREATE FUNCTION check_changed_holds() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT coalesce(n.id, o.id) INTO wrong
    FROM new_holds n FULL JOIN old_holds o ON o.id = n.id
    WHERE NOT coalesce(
        (n.wallet_id, n.destination_wallet_id, n.amount, n.currency, n.placed_by, n.placed_at, n.expires_at)
            = (o.wallet_id, o.destination_wallet_id, o.amount, o.currency, o.placed_by, o.placed_at, o.expires_at)
        AND o.status = 0 AND n.captured >= o.captured
        AND (SELECT hold_fits(h) FROM holds h WHERE h.id = n.id), false)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'hold % is not what its changes made of it', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'holds_follow_changes';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER holds_updated AFTER UPDATE ON holds REFERENCING OLD TABLE AS old_holds NEW TABLE AS new_holds
    FOR EACH STATEMENT EXECUTE FUNCTION check_changed_holds();

-- Every change of a hold follows what the wallet's holds set aside before it, the last one is what the wallet shows, a capture is one
-- leg of its transfer, and the hold is what its changes made of it.
CREATE FUNCTION check_new_hold_changes() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT c.hold_id INTO wrong
    FROM new_changes c
    WHERE NOT coalesce(
        c.held_after = c.placed - c.captured - c.released + coalesce((
            SELECT p.held_after FROM hold_changes p
            WHERE p.wallet_id = c.wallet_id AND p.version < c.version ORDER BY p.version DESC LIMIT 1), 0)
        AND coalesce((
            SELECT x.held_after - (x.placed - x.captured - x.released) FROM hold_changes x
            WHERE x.wallet_id = c.wallet_id AND x.version > c.version ORDER BY x.version LIMIT 1), (
            SELECT CASE WHEN w.version >= c.version THEN w.held END FROM wallets w WHERE w.id = c.wallet_id)) = c.held_after
        AND (SELECT hold_fits(h) FROM holds h WHERE h.id = c.hold_id)
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
CREATE TRIGGER hold_changes_follow AFTER INSERT ON hold_changes REFERENCING NEW TABLE AS new_changes
    FOR EACH STATEMENT EXECUTE FUNCTION check_new_hold_changes();

-- As in 0004; but between two entries of a batch a hold may have raised the wallet's version. An entry that the next version of the batch
-- does not follow is the wallet's last change, or it fits the entries on both sides of it.
CREATE OR REPLACE FUNCTION check_new_entries() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT coalesce(e.wallet_id, p.wallet_id) INTO wrong
    FROM new_entries e FULL JOIN new_entries p ON p.wallet_id = e.wallet_id AND p.version = e.version - 1
    WHERE NOT coalesce(CASE
        WHEN p.version IS NULL THEN true
        WHEN e.version IS NOT NULL THEN e.balance_after - e.amount = p.balance_after
        ELSE (
            SELECT CASE
                WHEN w.version = p.version THEN w.balance = p.balance_after
                WHEN w.version > p.version THEN
                    p.balance_after - p.amount = coalesce((
                        SELECT x.balance_after FROM entries x
                        WHERE x.wallet_id = p.wallet_id AND x.version < p.version ORDER BY x.version DESC LIMIT 1), 0)
                    AND p.balance_after = coalesce((
                        SELECT x.balance_after - x.amount FROM entries x
                        WHERE x.wallet_id = p.wallet_id AND x.version > p.version ORDER BY x.version LIMIT 1), w.balance)
                END
            FROM wallets w WHERE w.id = p.wallet_id)
        END, false)
    LIMIT 1;
    IF NOT FOUND THEN
        SELECT coalesce(d.wallet_id, c.wallet_id) INTO wrong
        FROM (SELECT * FROM new_entries WHERE amount < 0) d
        FULL JOIN (SELECT * FROM new_entries WHERE amount > 0) c ON c.transfer_id = d.transfer_id
        WHERE NOT coalesce((
            SELECT d.amount = -t.amount AND d.wallet_id = t.source_wallet_id AND d.version = t.source_version
                AND c.amount = t.amount AND c.wallet_id = t.destination_wallet_id AND c.version = t.destination_version
                AND d.posted_at = t.posted_at AND c.posted_at = t.posted_at
            FROM transfers t WHERE t.id = d.transfer_id), false)
        LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'an entry of wallet % does not follow', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entries_follow';
    END IF;
    RETURN NULL;
END $$;

-- As in 0004; a capture also has the change of its hold.
CREATE OR REPLACE FUNCTION check_new_transfers() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
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

-- A wallet changes only together with the entries and changes of holds that changed it, or with one recorded change of its state.
CREATE OR REPLACE FUNCTION check_changed_wallets() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT coalesce(n.id, o.id) INTO wrong
    FROM new_wallets n FULL JOIN old_wallets o ON o.id = n.id
    LEFT JOIN LATERAL (SELECT * FROM entries x WHERE x.wallet_id = n.id AND x.version = n.version LIMIT 1) e ON true
    WHERE NOT coalesce(CASE
        WHEN e.version IS NOT NULL AND n.version = o.version + 1 AND n.held = o.held THEN
            e.balance_after = n.balance AND n.balance - o.balance = e.amount AND n.status = o.status
            AND n.overdraft_limit = o.overdraft_limit
        WHEN e.version IS NULL AND NOT EXISTS (SELECT FROM hold_changes h WHERE h.wallet_id = n.id AND h.version = n.version) THEN
            n.version = o.version + 1 AND n.balance = o.balance AND n.held = o.held
            AND EXISTS (
                SELECT FROM wallet_changes c
                WHERE c.wallet_id = n.id AND c.version = n.version AND c.status = n.status AND c.overdraft_limit = n.overdraft_limit)
        ELSE
            coalesce(e.balance_after, n.balance) = n.balance AND n.status = o.status AND n.overdraft_limit = o.overdraft_limit
            AND (n.version - o.version, n.balance - o.balance, n.held - o.held) = (
                SELECT count(*) FILTER (WHERE s.step), coalesce(sum(s.amount), 0), coalesce(sum(s.held), 0)
                FROM (
                    SELECT true AS step, x.amount, 0::bigint AS held
                    FROM entries x WHERE x.wallet_id = n.id AND x.version > o.version AND x.version <= n.version
                    UNION ALL
                    -- The step of a capture is its entry's.
                    SELECT h.kind <> 2, 0, h.placed - h.captured - h.released
                    FROM hold_changes h WHERE h.wallet_id = n.id AND h.version > o.version AND h.version <= n.version
                ) s)
        END AND n.currency = o.currency AND n.is_world = o.is_world AND n.last_posted_at >= o.last_posted_at, false)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'wallet % changed without an entry', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'wallets_follow_entries';
    END IF;
    RETURN NULL;
END $$;

GRANT SELECT, INSERT ON holds, hold_changes TO wallet_ledger;
GRANT UPDATE (captured, status) ON holds TO wallet_ledger;
