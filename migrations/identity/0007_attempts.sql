-- serves-from: 0007
-- Failed attempts, counted per kind of secret and per bucket: a known device, an account (whether it exists or not), a network. An outsider
-- fills the account's and the network's bucket, never the owner's device's.
CREATE TABLE attempts (
    kind text NOT NULL CHECK (kind IN ('password', 'otp', 'recovery_code', 'mailed_code', 'resolve')),
    bucket text NOT NULL CHECK (bucket IN ('device', 'account', 'network')),
    -- SHA-256 of what is counted.
    key bytea NOT NULL CHECK (octet_length(key) = 32),
    failures integer NOT NULL CHECK (failures >= 0),
    last_failed_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL,
    PRIMARY KEY (kind, bucket, key)
);
CREATE INDEX attempts_by_age ON attempts (last_failed_at);

-- Mails that were asked for, counted per address, account and network in windows: 1 a minute, 5 an hour, 10 a day.
CREATE TABLE mail_budgets (
    bucket text NOT NULL CHECK (bucket IN ('address', 'network')),
    key bytea NOT NULL CHECK (octet_length(key) = 32),
    -- The times of the latest, oldest first; at most ten.
    sent_at timestamptz[] NOT NULL CHECK (cardinality(sent_at) BETWEEN 1 AND 100),
    last_sent_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, key)
);
CREATE INDEX mail_budgets_by_age ON mail_budgets (last_sent_at);

GRANT SELECT, INSERT, DELETE ON attempts, mail_budgets TO identity;
GRANT UPDATE (failures, last_failed_at, blocked_until) ON attempts TO identity;
GRANT UPDATE (sent_at, last_sent_at) ON mail_budgets TO identity;
