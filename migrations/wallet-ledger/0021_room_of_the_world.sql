-- serves-from: 0015
-- A wallet of the world outside stands opposite a sixteenth of all customers: within the range of one customer's balance, one large
-- deposit would take the room of all others. Its balance is shown to nobody and has all of bigint. Of an entry the id tells the world:
-- no generator makes one whose time is zero. Not validated here, which would read all entries under a lock that stops postings; what
-- the old constraints let through fits the new ones.
ALTER TABLE wallets ADD CONSTRAINT wallets_balance_range
    CHECK (is_world OR balance BETWEEN -9007199254740991 AND 9007199254740991) NOT VALID;
ALTER TABLE wallets DROP CONSTRAINT wallets_balance_check;
ALTER TABLE entries ADD CONSTRAINT entries_balance_range CHECK (
    balance_after BETWEEN -9007199254740991 AND 9007199254740991 OR wallet_id < '00000000-0000-7001-0000-000000000000') NOT VALID;
ALTER TABLE entries DROP CONSTRAINT entries_balance_after_check;
