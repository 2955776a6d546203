-- serves-from: 0015
ALTER TABLE idempotency_keys VALIDATE CONSTRAINT idempotency_keys_refusal;
