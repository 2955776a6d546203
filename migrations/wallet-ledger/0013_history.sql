-- serves-from: 0006
-- What answers about the past stand on. Neither an index by time nor a column is added to entries: each would cost every posting 3 to
-- 5 µs. Within one wallet posted_at never falls while version rises, so the primary key is in the order of time as well.

-- The wallet's last entry before a time: a binary search, at most one look-up by primary key per bit of the newest version. Versions
-- have gaps (changes of state raise them too), so a look-up takes the first entry at or after the middle. Version and balance are 0
-- where there is none. No plan but the primary key's is left, whatever the statistics say or don't.
CREATE FUNCTION last_entry_before(of_wallet uuid, cut timestamptz, OUT last_version bigint, OUT last_balance bigint)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    probe record;
    -- The first version that is known not to be before the cut, nor is any later one.
    beyond bigint;
    middle bigint;
BEGIN
    last_version := 0;
    last_balance := 0;
    SELECT e.version, e.balance_after, e.posted_at INTO probe
    FROM entries e WHERE e.wallet_id = of_wallet ORDER BY e.version DESC LIMIT 1;
    IF NOT FOUND THEN RETURN; END IF;
    beyond := probe.version + 1;
    LOOP
        IF probe.posted_at < cut THEN
            last_version := probe.version;
            last_balance := probe.balance_after;
        ELSE
            beyond := coalesce(middle, probe.version);
        END IF;
        EXIT WHEN beyond - last_version <= 1;
        middle := last_version + (beyond - last_version) / 2;
        -- There is one: what made `beyond` stands at it or after it, or is the newest.
        SELECT e.version, e.balance_after, e.posted_at INTO probe
        FROM entries e WHERE e.wallet_id = of_wallet AND e.version >= middle ORDER BY e.version LIMIT 1;
    END LOOP;
END $$;

-- Sums of a wallet's entries by blocks of 1024 versions, made when a statement first needs them: the sums over a million entries are
-- then the sums over a thousand rows. 1024 amounts of at most 2^53 - 1 still fit into a bigint.
CREATE TABLE entry_totals (
    wallet_id uuid NOT NULL,
    -- The versions from 1024 * block to 1024 * block + 1023.
    block bigint NOT NULL CHECK (block >= 0),
    credits bigint NOT NULL CHECK (credits >= 0),
    debits bigint NOT NULL CHECK (debits >= 0),
    PRIMARY KEY (wallet_id, block)
);
CREATE TRIGGER entry_totals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry_totals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION sum_of_entries(of_wallet uuid, after_version bigint, last_version bigint, OUT credits numeric, OUT debits numeric)
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT coalesce(sum(amount) FILTER (WHERE amount > 0), 0), coalesce(-sum(amount) FILTER (WHERE amount < 0), 0)
    FROM entries WHERE wallet_id = of_wallet AND version > after_version AND version <= last_version
$$;

-- Credits and debits of the entries after one version, up to the version of another entry. Makes at most `at_most` blocks that are
-- missing; `missing` says how many were, and then there are no sums yet: ask again. A standby makes none.
-- The only way to write a total, since the serving role may not. A block is final once an entry stands at its end or beyond: versions
-- are given under the wallet's lock, so whoever sees that entry sees all before it.
CREATE FUNCTION statement_totals(
    of_wallet uuid, after_version bigint, last_version bigint, at_most integer, OUT credits numeric, OUT debits numeric, OUT missing bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    first_block bigint := after_version / 1024 + 1;
    last_block bigint := (last_version + 1) / 1024 - 1;
    known bigint;
    head record;
    tail record;
BEGIN
    missing := 0;
    IF first_block > last_block THEN
        SELECT s.credits, s.debits INTO credits, debits FROM sum_of_entries(of_wallet, after_version, last_version) s;
        RETURN;
    END IF;
    PERFORM FROM entries e WHERE e.wallet_id = of_wallet AND e.version = last_version;
    IF NOT FOUND THEN RAISE EXCEPTION 'version % is no entry', last_version; END IF;
    SELECT count(*), sum(t.credits), sum(t.debits) INTO known, credits, debits
    FROM entry_totals t WHERE t.wallet_id = of_wallet AND t.block BETWEEN first_block AND last_block;
    missing := last_block - first_block + 1 - known;
    IF missing > 0 THEN
        IF NOT pg_is_in_recovery() THEN
            INSERT INTO entry_totals (wallet_id, block, credits, debits)
            SELECT of_wallet, b.block, s.credits, s.debits
            FROM (
                SELECT n.block FROM generate_series(first_block, last_block) n (block)
                WHERE (SELECT t.block FROM entry_totals t WHERE t.wallet_id = of_wallet AND t.block = n.block) IS NULL
                LIMIT at_most
            ) b, LATERAL sum_of_entries(of_wallet, b.block * 1024 - 1, b.block * 1024 + 1023) s
            ON CONFLICT DO NOTHING;
        END IF;
        credits := NULL;
        debits := NULL;
        RETURN;
    END IF;
    SELECT * INTO head FROM sum_of_entries(of_wallet, after_version, first_block * 1024 - 1);
    SELECT * INTO tail FROM sum_of_entries(of_wallet, last_block * 1024 + 1023, last_version);
    credits := credits + head.credits + tail.credits;
    debits := debits + head.debits + tail.debits;
END $$;
REVOKE ALL ON FUNCTION statement_totals(uuid, bigint, bigint, integer) FROM PUBLIC;

GRANT SELECT ON entry_totals TO wallet_ledger;
GRANT EXECUTE ON FUNCTION statement_totals(uuid, bigint, bigint, integer) TO wallet_ledger;

-- Pages. Functions, because here too only the index that already has the order may be left: where statistics are missing (a young table,
-- an upgraded server), a planner that takes a wallet for small would read all of it and sort.
CREATE FUNCTION oldest_entries(of_wallet uuid, after_version bigint, last_version bigint, at_most bigint) RETURNS SETOF entries
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT * FROM entries WHERE wallet_id = of_wallet AND version > after_version AND version <= last_version ORDER BY version LIMIT at_most
$$;

CREATE FUNCTION latest_entries(of_wallet uuid, after_version bigint, before_version bigint, at_most bigint) RETURNS SETOF entries
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT * FROM entries
    WHERE wallet_id = of_wallet AND version > after_version AND version < before_version ORDER BY version DESC LIMIT at_most
$$;

CREATE FUNCTION latest_wallets_of_owner(of_owner uuid, before_id uuid, at_most bigint) RETURNS SETOF wallets
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT * FROM wallets WHERE owner_id = of_owner AND id < before_id ORDER BY id DESC LIMIT at_most
$$;

CREATE FUNCTION latest_wallets_of_opener(opener text, before_id uuid, at_most bigint) RETURNS SETOF wallets
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT * FROM wallets WHERE opened_by = opener AND NOT is_world AND id < before_id ORDER BY id DESC LIMIT at_most
$$;
