-- serves-from: 0005
-- One row per authorization request that a browser (or a first-party app) is answering. Its state changes only by an UPDATE that names the
-- state before.
CREATE TABLE sign_in_flows (
    id uuid PRIMARY KEY,
    -- SHA-256 of the cookie (or, for an app, of the auth_session): the flow is nobody else's.
    owner_hash bytea NOT NULL CHECK (octet_length(owner_hash) = 32),
    client_id text NOT NULL REFERENCES clients (id),
    -- The authorization request, checked: as Domain/AuthorizationRequest encodes it.
    request jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('password', 'second_factor', 'consent', 'finished', 'refused')),
    user_id uuid REFERENCES users (id),
    credential_generation bigint,
    amr text[] NOT NULL DEFAULT '{}',
    authenticated_at timestamptz,
    second_factor_at timestamptz,
    session_id uuid REFERENCES sessions (id),
    -- Where the browser was sent in the end, with the cookies that it was given, so that a second click gets the same; encrypted under the
    -- browser's own cookie, since there is an authorization code in it.
    sealed_answer bytea CHECK (octet_length(sealed_answer) <= 16384),
    ended_at timestamptz,
    wrong_codes smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sign_in_flows_user CHECK (state IN ('password', 'refused') OR (user_id IS NOT NULL AND credential_generation IS NOT NULL)),
    CONSTRAINT sign_in_flows_finished CHECK (state <> 'finished' OR session_id IS NOT NULL),
    CONSTRAINT sign_in_flows_ended CHECK ((state IN ('finished', 'refused')) = (ended_at IS NOT NULL))
);
CREATE INDEX sign_in_flows_by_owner ON sign_in_flows (owner_hash, created_at);
CREATE INDEX sign_in_flows_by_expiry ON sign_in_flows (expires_at);

GRANT SELECT, INSERT, DELETE ON sign_in_flows TO identity;
GRANT UPDATE (owner_hash, state, user_id, credential_generation, amr, authenticated_at, second_factor_at, session_id, sealed_answer, ended_at,
        wrong_codes)
    ON sign_in_flows TO identity;
