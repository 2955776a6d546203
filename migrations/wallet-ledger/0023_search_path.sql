-- serves-from: 0015
-- Where a function looks is its own to say, not its caller's: see 0003 of the outbox. Whatever there is so far, in every form that it has;
-- functions that come later say it themselves. What the serving role calls it may from now on call by its own right, not by PUBLIC's: all
-- but triggers' functions, which need no privilege where they run, and those that run as the owner, which were granted one by one.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT p.oid::regprocedure AS function, p.prorettype = 'trigger'::regtype AS is_trigger, p.prosecdef AS runs_as_owner
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, public, pg_temp', found.function);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', found.function);
        IF NOT found.is_trigger AND NOT found.runs_as_owner THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO wallet_ledger', found.function);
        END IF;
    END LOOP;
END $$;
