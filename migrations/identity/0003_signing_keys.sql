-- serves-from: 0003
-- The keys that sign tokens. Each is published before it signs and kept while anything that it signed is good; no replica decides
-- anything at its start, all read the same times.
CREATE TABLE signing_keys (
    -- The key's thumbprint (RFC 7638).
    kid text PRIMARY KEY CHECK (kid ~ '^[A-Za-z0-9_-]{43}$'),
    -- The uncompressed point without its first byte (x, then y).
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 64),
    -- Encrypted under IDENTITY_SECRET_KEYS_FILE, bound to the kid.
    sealed_private_key bytea NOT NULL CHECK (octet_length(sealed_private_key) BETWEEN 60 AND 200),
    created_at timestamptz NOT NULL,
    publish_at timestamptz NOT NULL,
    sign_from timestamptz NOT NULL,
    -- From then on another signs.
    sign_until timestamptz NOT NULL,
    -- From then on it is not published any more.
    retire_at timestamptz NOT NULL,
    CONSTRAINT signing_keys_order CHECK (publish_at <= sign_from AND sign_from < sign_until AND sign_until < retire_at)
);
CREATE INDEX signing_keys_by_retirement ON signing_keys (retire_at);

GRANT SELECT, INSERT, DELETE ON signing_keys TO identity;
GRANT UPDATE (sign_until, retire_at, sign_from, publish_at) ON signing_keys TO identity;
