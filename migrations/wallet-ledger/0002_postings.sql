-- serves-from: 0002
-- A transfer moves one amount from one wallet to another; its two entries are found by (wallet, version), so they need no index of
-- their own by transfer.
CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    -- 1 transfer, 2 deposit, 3 withdrawal, 4 refund
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 4),
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
    currency text NOT NULL,
    source_wallet_id uuid NOT NULL,
    source_version bigint NOT NULL,
    destination_wallet_id uuid NOT NULL,
    destination_version bigint NOT NULL,
    original_id uuid,
    ordered_by text NOT NULL,
    reference text,
    key_id uuid NOT NULL,
    posted_at timestamptz NOT NULL,
    CONSTRAINT transfers_two_wallets CHECK (source_wallet_id <> destination_wallet_id),
    CONSTRAINT transfers_refund_names_original CHECK ((kind = 4) = (original_id IS NOT NULL))
);

-- Unique per principal for ever: the guard against a provider's late repeats.
CREATE UNIQUE INDEX transfers_reference ON transfers (ordered_by, reference) WHERE reference IS NOT NULL;
CREATE INDEX transfers_refunds ON transfers (original_id) WHERE original_id IS NOT NULL;

CREATE TABLE entries (
    wallet_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    transfer_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    balance_after bigint NOT NULL CHECK (balance_after BETWEEN -9007199254740991 AND 9007199254740991),
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (wallet_id, version)
);

CREATE TABLE refund_totals (
    transfer_id uuid PRIMARY KEY,
    amount bigint NOT NULL,
    refunded bigint NOT NULL CHECK (refunded > 0),
    CONSTRAINT refund_totals_within_original CHECK (refunded <= amount)
);
