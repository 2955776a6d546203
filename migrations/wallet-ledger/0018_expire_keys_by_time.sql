-- serves-from: 0015
DROP INDEX idempotency_keys_by_age;

-- As before, oldest first, by the index that tells them at once.
CREATE OR REPLACE FUNCTION expire_idempotency_keys(at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    deleted integer;
BEGIN
    PERFORM set_config('florin.expiring_keys', 'on', true);
    DELETE FROM idempotency_keys WHERE id IN (
        SELECT id FROM idempotency_keys WHERE created_at < now() - interval '30 days' ORDER BY created_at LIMIT least(at_most, 10000)
        FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    PERFORM set_config('florin.expiring_keys', '', true);
    RETURN deleted;
END $$;
