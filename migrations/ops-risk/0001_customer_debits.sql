-- serves-from: 0001
-- Debits of customers' wallets as the ledger's events told of them, for as long as the rules look back and a while longer. No record of
-- money: that is the ledger's. The primary key is the order in which they are counted, and keeps a debit once however often it arrives.
CREATE TABLE customer_debits (
    wallet_id uuid NOT NULL,
    -- When the ledger posted it.
    occurred_at timestamptz NOT NULL,
    transfer_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    PRIMARY KEY (wallet_id, occurred_at, transfer_id)
);

CREATE INDEX customer_debits_by_age ON customer_debits (occurred_at);

-- Deletes at most `at_most` debits that are older than `kept`, the oldest first. The age is measured from the latest debit that has
-- arrived, for after an outage all that arrives is old; from now, should one claim to be from the future. The only way to delete one.
CREATE FUNCTION prune_customer_debits(kept interval, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    cutoff timestamptz;
    removed integer;
BEGIN
    IF kept IS NULL OR kept < interval '1 second' THEN
        RAISE EXCEPTION 'debits are kept for a second at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT least(max(occurred_at), clock_timestamp()) - kept INTO cutoff FROM customer_debits;
    DELETE FROM customer_debits WHERE (wallet_id, occurred_at, transfer_id) IN (
        SELECT wallet_id, occurred_at, transfer_id FROM customer_debits WHERE occurred_at < cutoff
        ORDER BY occurred_at LIMIT least(greatest(at_most, 0), 10000) FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;
REVOKE ALL ON FUNCTION prune_customer_debits(interval, integer) FROM PUBLIC;
