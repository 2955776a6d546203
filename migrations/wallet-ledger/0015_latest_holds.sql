-- serves-from: 0006
-- Pages of a wallet's holds. Asked by pairs, because only the indexes on (wallet_id, id) have that order: with `wallet_id =` a planner
-- may walk the primary key through everybody's holds instead.
CREATE FUNCTION latest_holds(of_wallet uuid, before_id uuid, at_most bigint) RETURNS SETOF holds
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT * FROM holds
    WHERE (wallet_id, id) >= (of_wallet, '00000000-0000-0000-0000-000000000000') AND (wallet_id, id) < (of_wallet, before_id)
    ORDER BY wallet_id DESC, id DESC LIMIT at_most
$$;

CREATE FUNCTION latest_open_holds(of_wallet uuid, before_id uuid, at_most bigint) RETURNS SETOF holds
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT * FROM holds
    WHERE status = 0 AND (wallet_id, id) >= (of_wallet, '00000000-0000-0000-0000-000000000000') AND (wallet_id, id) < (of_wallet, before_id)
    ORDER BY wallet_id DESC, id DESC LIMIT at_most
$$;
