-- serves-from: 0015
-- The id of the event by which a transfer is told: the transfer's own with the last two bits set, which the ledger keeps clear in it (`TransferID.eventID`).
CREATE FUNCTION transfer_event_id(transfer_id uuid) RETURNS uuid LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN encode(set_byte(uuid_send(transfer_id), 15, get_byte(uuid_send(transfer_id), 15) | 3), 'hex')::uuid;
END $$;
REVOKE ALL ON FUNCTION transfer_event_id(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION transfer_event_id(uuid) TO wallet_ledger;
