-- serves-from: 0003
-- What one row can't show, checked once per statement over the rows that it touched. The plans must never scan a table that grows:
-- they are made when it is empty and kept, hence enable_seqscan = off, and sub-selects of one value or LATERAL with LIMIT 1, which leave
-- no other plan than one look-up by primary key per row.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'idempotency_keys' AND TG_OP = 'DELETE' AND current_setting('florin.expiring_keys', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER idempotency_keys_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON idempotency_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER wallet_changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallet_changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER wallets_are_kept BEFORE DELETE OR TRUNCATE ON wallets
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_totals_are_kept BEFORE DELETE OR TRUNCATE ON refund_totals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A wallet begins empty.
CREATE FUNCTION check_opened_wallets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM opened WHERE balance <> 0 OR held <> 0 OR version <> 0 OR status <> 0) THEN
        RAISE EXCEPTION 'a wallet begins empty' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'wallet_begins_empty';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER wallets_begin_empty AFTER INSERT ON wallets REFERENCING NEW TABLE AS opened
    FOR EACH STATEMENT EXECUTE FUNCTION check_opened_wallets();

-- Every entry is one leg of its transfer, follows the wallet's previous balance, and the last one is what the wallet shows.
-- That the first one follows what the wallet had before is seen from the wallet: wallets_follow_entries.
-- FULL JOIN, because a join of transition tables is planned for few rows and met by 512: no full join runs as nested loops.
CREATE FUNCTION check_new_entries() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT coalesce(e.wallet_id, p.wallet_id) INTO wrong
    FROM new_entries e FULL JOIN new_entries p ON p.wallet_id = e.wallet_id AND p.version = e.version - 1
    WHERE NOT coalesce(CASE
        WHEN p.version IS NULL THEN true
        WHEN e.version IS NOT NULL THEN e.balance_after - e.amount = p.balance_after
        ELSE (SELECT w.version = p.version AND w.balance = p.balance_after FROM wallets w WHERE w.id = p.wallet_id)
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
CREATE TRIGGER entries_follow AFTER INSERT ON entries REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION check_new_entries();

-- Every transfer has its two entries, which therefore sum to zero; refunds are counted.
CREATE FUNCTION check_new_transfers() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
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
        RAISE EXCEPTION 'transfer % lacks an entry', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'transfers_balance';
    END IF;
    IF EXISTS (SELECT FROM new_transfers WHERE kind = 4) THEN
        SELECT t.original_id INTO wrong
        FROM (SELECT DISTINCT original_id FROM new_transfers WHERE kind = 4) t
        LEFT JOIN refund_totals r ON r.transfer_id = t.original_id
        WHERE r.refunded IS DISTINCT FROM (SELECT sum(x.amount) FROM transfers x WHERE x.original_id = t.original_id)
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'refunds of transfer % are not counted', wrong
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refunds_counted';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transfers_balance AFTER INSERT ON transfers REFERENCING NEW TABLE AS new_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION check_new_transfers();

-- A refund total is the sum of the refunds, of an original that has that amount and is no refund itself.
CREATE FUNCTION check_refund_totals() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT c.transfer_id INTO wrong
    FROM changed_totals c
    LEFT JOIN transfers o ON o.id = c.transfer_id
    WHERE o.kind IS NULL OR o.kind = 4 OR o.amount <> c.amount
        OR c.refunded IS DISTINCT FROM (SELECT sum(x.amount) FROM transfers x WHERE x.original_id = c.transfer_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the refund total of transfer % is wrong', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refunds_counted';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refund_totals_inserted AFTER INSERT ON refund_totals REFERENCING NEW TABLE AS changed_totals
    FOR EACH STATEMENT EXECUTE FUNCTION check_refund_totals();
CREATE TRIGGER refund_totals_updated AFTER UPDATE ON refund_totals REFERENCING NEW TABLE AS changed_totals
    FOR EACH STATEMENT EXECUTE FUNCTION check_refund_totals();

-- A wallet changes only together with the entries that changed it, or with one recorded change of its state.
CREATE FUNCTION check_changed_wallets() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT coalesce(n.id, o.id) INTO wrong
    FROM new_wallets n FULL JOIN old_wallets o ON o.id = n.id
    LEFT JOIN LATERAL (SELECT * FROM entries x WHERE x.wallet_id = n.id AND x.version = n.version LIMIT 1) e ON true
    WHERE NOT coalesce(CASE
        WHEN e.version IS NOT NULL THEN
            e.balance_after = n.balance AND n.status = o.status AND n.overdraft_limit = o.overdraft_limit
            AND CASE WHEN n.version = o.version + 1 THEN n.balance - o.balance = e.amount
                ELSE (n.version - o.version, n.balance - o.balance) = (
                    SELECT count(*), sum(x.amount)
                    FROM entries x WHERE x.wallet_id = n.id AND x.version > o.version AND x.version <= n.version) END
        ELSE
            n.version = o.version + 1 AND n.balance = o.balance AND n.held = o.held
            AND EXISTS (
                SELECT FROM wallet_changes c
                WHERE c.wallet_id = n.id AND c.version = n.version AND c.status = n.status AND c.overdraft_limit = n.overdraft_limit)
        END AND n.currency = o.currency AND n.is_world = o.is_world AND n.last_posted_at >= o.last_posted_at, false)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'wallet % changed without an entry', wrong
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'wallets_follow_entries';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER wallets_follow_entries AFTER UPDATE ON wallets REFERENCING OLD TABLE AS old_wallets NEW TABLE AS new_wallets
    FOR EACH STATEMENT EXECUTE FUNCTION check_changed_wallets();

-- A change of state is what its wallet shows.
CREATE FUNCTION check_new_wallet_changes() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_changes c LEFT JOIN wallets w ON w.id = c.wallet_id
        WHERE NOT coalesce(w.version = c.version AND w.status = c.status AND w.overdraft_limit = c.overdraft_limit, false))
    THEN
        RAISE EXCEPTION 'a change of state does not fit its wallet'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'wallet_changes_follow';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER wallet_changes_follow AFTER INSERT ON wallet_changes REFERENCING NEW TABLE AS new_changes
    FOR EACH STATEMENT EXECUTE FUNCTION check_new_wallet_changes();
