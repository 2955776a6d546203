-- serves-from: 0006
-- no-transaction
-- The same for an owner. With the id in it a page of an owner's wallets is a part of the index; it takes the place of wallets_by_owner.
CREATE INDEX CONCURRENTLY wallets_by_owner_and_id ON wallets (owner_id, id) WHERE owner_id IS NOT NULL;
