-- serves-from: 0002
-- Relying parties and machines. An id never looks like a person's (usr_).
CREATE TABLE clients (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{1,62}$' AND id NOT LIKE 'usr\_%'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- A confidential client has secrets; a public one proves itself by PKCE alone.
    is_confidential boolean NOT NULL,
    -- May sign people in without a browser (authorize-challenge), and asks no consent.
    is_first_party boolean NOT NULL,
    -- Compared byte by byte.
    redirect_uris text[] NOT NULL DEFAULT '{}',
    post_logout_redirect_uris text[] NOT NULL DEFAULT '{}',
    -- For CORS; none by default.
    origins text[] NOT NULL DEFAULT '{}',
    grants text[] NOT NULL CHECK (grants <@ ARRAY['authorization_code', 'refresh_token', 'client_credentials']),
    -- What it may be given at most.
    scopes text[] NOT NULL,
    -- The audience of its access tokens.
    audience text NOT NULL DEFAULT 'florin-api',
    -- May introspect tokens of this audience; NULL: only what it was issued itself.
    introspects text,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    CONSTRAINT clients_machine CHECK (NOT 'client_credentials' = ANY (grants) OR is_confidential)
);

-- At most two are good at a time, so that one can be replaced without a pause. 256 random bits: a plain SHA-256 is enough.
CREATE TABLE client_secrets (
    client_id text NOT NULL REFERENCES clients (id),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (client_id, hash)
);

CREATE TABLE consents (
    user_id uuid NOT NULL REFERENCES users (id),
    client_id text NOT NULL REFERENCES clients (id),
    scopes text[] NOT NULL,
    granted_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, client_id)
);

GRANT SELECT, INSERT ON clients, client_secrets, consents TO identity;
GRANT UPDATE (name, redirect_uris, post_logout_redirect_uris, origins, grants, scopes, audience, introspects, disabled_at) ON clients TO identity;
GRANT UPDATE (expires_at) ON client_secrets TO identity;
GRANT UPDATE (scopes, granted_at) ON consents TO identity;
GRANT DELETE ON client_secrets, consents TO identity;
