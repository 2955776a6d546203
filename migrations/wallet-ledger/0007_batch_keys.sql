-- serves-from: 0006
-- A batch has one key: an atomic one names its first transfer and how many there are, a refused one the item that was refused
-- (both in subject_version), an independent one only takes the key, since its items have keys of their own. Holds are kept likewise.
ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_outcome_check,
    DROP CONSTRAINT idempotency_keys_outcome;
ALTER TABLE idempotency_keys
    -- 1 posted, 2 wallet opened, 3 wallet changed, 4 refused, 5 atomic batch posted, 6 independent batch, 7 hold placed, 8 hold voided
    ADD CONSTRAINT idempotency_keys_outcome_check CHECK (outcome BETWEEN 1 AND 8),
    ADD CONSTRAINT idempotency_keys_outcome CHECK (
        CASE outcome
            WHEN 4 THEN refusal IS NOT NULL
            WHEN 6 THEN refusal IS NULL AND subject_id IS NULL
            ELSE refusal IS NULL AND subject_id IS NOT NULL
        END);
