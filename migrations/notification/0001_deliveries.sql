-- serves-from: 0001
-- Mails that were asked for, one row per message; where each stands is in work_items. Whom it goes to and what it says stays sealed as it
-- came, and is erased once it was delivered or is worth nothing any more.
CREATE TABLE deliveries (
    -- The message's, from identity; the mail's Message-ID begins with it, however often it is sent.
    id uuid PRIMARY KEY,
    work_item bigint NOT NULL UNIQUE REFERENCES work_items (id) ON DELETE CASCADE,
    -- To which the text is bound.
    event_id uuid NOT NULL,
    purpose text NOT NULL,
    user_id uuid,
    locale text NOT NULL CHECK (char_length(locale) BETWEEN 1 AND 35),
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    sealed_key_id text,
    encapsulated_key bytea CHECK (octet_length(encapsulated_key) = 32),
    ciphertext bytea CHECK (octet_length(ciphertext) BETWEEN 17 AND 8192),
    CONSTRAINT deliveries_text CHECK (num_nonnulls(sealed_key_id, encapsulated_key, ciphertext) IN (0, 3))
);

CREATE INDEX deliveries_with_text ON deliveries (expires_at) WHERE ciphertext IS NOT NULL;

-- A delivery begins with its text, which may be erased and nothing else; it never comes back.
CREATE FUNCTION check_delivery() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.ciphertext IS NOT NULL OR (NEW.id, NEW.work_item, NEW.event_id, NEW.purpose, NEW.user_id, NEW.locale, NEW.requested_at,
        NEW.expires_at) IS DISTINCT FROM (OLD.id, OLD.work_item, OLD.event_id, OLD.purpose, OLD.user_id, OLD.locale, OLD.requested_at,
        OLD.expires_at) THEN
        RAISE EXCEPTION 'of a delivery nothing changes but that its text is erased' USING ERRCODE = 'integrity_constraint_violation',
            CONSTRAINT = 'deliveries_fixed';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION check_delivery() FROM PUBLIC;
CREATE TRIGGER deliveries_fixed BEFORE UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION check_delivery();
