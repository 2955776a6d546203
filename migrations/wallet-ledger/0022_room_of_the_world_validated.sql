-- serves-from: 0015
-- Reads both tables while postings go on.
ALTER TABLE wallets VALIDATE CONSTRAINT wallets_balance_range;
ALTER TABLE entries VALIDATE CONSTRAINT entries_balance_range;
