-- serves-from: 0002
-- What the rules found, with the settings by which it was judged, and what an operator found it to be.
CREATE TABLE risk_alerts (
    id uuid PRIMARY KEY,
    -- 1 high value, 2 velocity
    rule smallint NOT NULL CHECK (rule IN (1, 2)),
    wallet_id uuid NOT NULL,
    -- The transfer at which the rule struck.
    transfer_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    occurred_at timestamptz NOT NULL,
    raised_at timestamptz NOT NULL,
    -- Of rule 1.
    threshold bigint,
    -- Of rule 2: so many debits in the window that ends with the transfer, and the stretch of time for which this is the one alert.
    debit_count bigint,
    debit_limit bigint,
    window_seconds bigint,
    window_start timestamptz,
    -- 1 false positive, 2 confirmed; NULL while the alert is open.
    resolution smallint CHECK (resolution IN (1, 2)),
    -- May hold personal data: for operators only.
    note text CHECK (char_length(note) BETWEEN 1 AND 500),
    resolved_by text,
    resolved_through text,
    resolved_at timestamptz,
    CONSTRAINT risk_alerts_finding CHECK (
        CASE rule
            WHEN 1 THEN num_nulls(threshold) = 0 AND num_nonnulls(debit_count, debit_limit, window_seconds, window_start) = 0
                AND threshold >= 1 AND amount >= threshold
            ELSE num_nonnulls(threshold) = 0 AND num_nulls(debit_count, debit_limit, window_seconds, window_start) = 0
                AND debit_limit >= 1 AND debit_count > debit_limit AND window_seconds >= 1 AND occurred_at >= window_start
                AND extract(epoch FROM occurred_at - window_start) < window_seconds
        END),
    CONSTRAINT risk_alerts_resolution CHECK (
        num_nonnulls(resolution, resolved_by, resolved_through, resolved_at) IN (0, 4) AND (note IS NULL OR resolution IS NOT NULL)
        AND (resolved_at IS NULL OR resolved_at >= raised_at)),
    -- A transfer is struck by a rule once, whatever becomes of processed_events.
    CONSTRAINT risk_alerts_once UNIQUE (rule, transfer_id)
);

CREATE UNIQUE INDEX risk_alerts_one_per_window ON risk_alerts (wallet_id, window_start, window_seconds) WHERE rule = 2;
CREATE INDEX risk_alerts_of_wallet ON risk_alerts (wallet_id, id);
CREATE INDEX risk_alerts_open ON risk_alerts (id) WHERE resolved_at IS NULL;
CREATE INDEX risk_alerts_resolved ON risk_alerts (id) WHERE resolved_at IS NOT NULL;

-- An alert begins open, is resolved once and for all, and changes in no other way.
CREATE FUNCTION check_risk_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.resolved_at IS NOT NULL THEN
            RAISE EXCEPTION 'an alert begins open' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'risk_alerts_begin_open';
        END IF;
    ELSIF OLD.resolved_at IS NOT NULL THEN
        RAISE EXCEPTION 'an alert is resolved once' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'risk_alerts_resolved_once';
    ELSIF (NEW.id, NEW.rule, NEW.wallet_id, NEW.transfer_id, NEW.amount, NEW.currency, NEW.occurred_at, NEW.raised_at, NEW.threshold,
        NEW.debit_count, NEW.debit_limit, NEW.window_seconds, NEW.window_start) IS DISTINCT FROM (OLD.id, OLD.rule, OLD.wallet_id,
        OLD.transfer_id, OLD.amount, OLD.currency, OLD.occurred_at, OLD.raised_at, OLD.threshold, OLD.debit_count, OLD.debit_limit,
        OLD.window_seconds, OLD.window_start) THEN
        RAISE EXCEPTION 'what an alert found does not change' USING ERRCODE = 'integrity_constraint_violation',
            CONSTRAINT = 'risk_alerts_finding_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER risk_alerts_state BEFORE INSERT OR UPDATE ON risk_alerts FOR EACH ROW EXECUTE FUNCTION check_risk_alert();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'idempotency_keys' AND TG_OP = 'DELETE' AND current_setting('florin.expiring_keys', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'no % of %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER risk_alerts_are_kept BEFORE DELETE OR TRUNCATE ON risk_alerts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Nothing is known of a debit but what its event said, so there is nothing to correct.
CREATE TRIGGER customer_debits_fixed BEFORE UPDATE OR TRUNCATE ON customer_debits FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
