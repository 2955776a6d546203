-- serves-from: 0001
-- One row and one currency per wallet. Amounts are minor units within ±(2^53 - 1). The world outside is 16 wallets per currency
-- without a floor. Half of each page stays free, so that a new balance lands on the page of the old one and touches no index.
CREATE TABLE wallets (
    id uuid PRIMARY KEY,
    owner_id uuid,
    opened_by text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    is_world boolean NOT NULL DEFAULT false,
    balance bigint NOT NULL DEFAULT 0 CHECK (balance BETWEEN -9007199254740991 AND 9007199254740991),
    held bigint NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND 9007199254740991),
    overdraft_limit bigint NOT NULL DEFAULT 0 CHECK (overdraft_limit BETWEEN 0 AND 9007199254740991),
    -- 0 open, 1 debits frozen, 2 all frozen, 3 closed
    status smallint NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 3),
    -- The one counter of the wallet: raised by every entry and every change of its state, without gaps.
    version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
    opened_at timestamptz NOT NULL,
    last_posted_at timestamptz NOT NULL,
    CONSTRAINT wallets_floor CHECK (is_world OR balance - held >= -overdraft_limit),
    CONSTRAINT wallets_closed_is_empty CHECK (status <> 3 OR (balance = 0 AND held = 0))
) WITH (fillfactor = 50);

CREATE INDEX wallets_by_owner ON wallets (owner_id) WHERE owner_id IS NOT NULL;

-- What operators did to a wallet, and why. Append only.
CREATE TABLE wallet_changes (
    wallet_id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    -- 1 frozen, 2 unfrozen, 3 closed, 4 overdraft limit set
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 4),
    status smallint NOT NULL CHECK (status BETWEEN 0 AND 3),
    overdraft_limit bigint NOT NULL,
    reason text NOT NULL,
    caller text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (wallet_id, version)
);
