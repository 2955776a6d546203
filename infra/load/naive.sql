-- A lean ledger for cells A and B: as many rows and indexes per transfer as wallet-ledger writes, and nothing else. No trigger, no
-- CHECK, no foreign key, bigint ids, short texts: whatever makes these cells slow is the way of writing, not the schema.
CREATE TABLE wallets (
    id bigint PRIMARY KEY,
    balance bigint NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE idempotency_keys (
    id uuid PRIMARY KEY,
    request text NOT NULL,
    transfer_id bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys USING brin (created_at) WITH (pages_per_range = 32);

CREATE SEQUENCE transfer_ids CACHE 32;
CREATE TABLE transfers (
    id bigint PRIMARY KEY,
    amount bigint NOT NULL,
    source_wallet_id bigint NOT NULL,
    destination_wallet_id bigint NOT NULL,
    posted_at timestamptz NOT NULL
);

CREATE TABLE entries (
    wallet_id bigint NOT NULL,
    version bigint NOT NULL,
    transfer_id bigint NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (wallet_id, version)
);

CREATE TABLE outbox_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL,
    partition_key bigint NOT NULL,
    data text NOT NULL,
    occurred_at timestamptz NOT NULL
);

-- Cell B: the statements of cell A in one call. A shortfall is no matter here: wallets begin with more than a run can move.
CREATE FUNCTION post_transfer(source bigint, destination bigint, sum bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    transfer bigint := nextval('transfer_ids');
    first wallets;
    second wallets;
    source_before wallets;
    destination_before wallets;
BEGIN
    INSERT INTO idempotency_keys (id, request, transfer_id, created_at)
    VALUES (gen_random_uuid(), 'POST /v1/transfers ' || source || ' ' || destination || ' ' || sum, transfer, now());
    SELECT * INTO first FROM wallets WHERE id = least(source, destination) FOR UPDATE;
    SELECT * INTO second FROM wallets WHERE id = greatest(source, destination) FOR UPDATE;
    IF first.id = source THEN
        source_before := first;
        destination_before := second;
    ELSE
        source_before := second;
        destination_before := first;
    END IF;
    INSERT INTO transfers (id, amount, source_wallet_id, destination_wallet_id, posted_at)
    VALUES (transfer, sum, source, destination, now());
    INSERT INTO entries (wallet_id, version, transfer_id, amount, balance_after, posted_at)
    VALUES (source, source_before.version + 1, transfer, -sum, source_before.balance - sum, now());
    INSERT INTO entries (wallet_id, version, transfer_id, amount, balance_after, posted_at)
    VALUES (destination, destination_before.version + 1, transfer, sum, destination_before.balance + sum, now());
    UPDATE wallets SET balance = balance - sum, version = version + 1 WHERE id = source;
    UPDATE wallets SET balance = balance + sum, version = version + 1 WHERE id = destination;
    INSERT INTO outbox_events (type, partition_key, data, occurred_at)
    VALUES ('ledger.transfer.posted.v1', source,
        '{"transfer":' || transfer || ',"source":' || source || ',"destination":' || destination || ',"amount":' || sum || '}', now());
    RETURN transfer;
END $$;

INSERT INTO wallets (id, balance, version) SELECT id, 1000000000, 0 FROM generate_series(1, 10000) id;
