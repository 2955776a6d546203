-- serves-from: 0001
-- An event that its producer's relay did not publish has a class of its own, and a dead letter keeps who published it: a replay judges it
-- as its first delivery. NULL in a row that is older than this column, '' where the message names nobody.
--
-- A service's own migration grants to its serving role:
--   GRANT UPDATE (published_by) ON dead_letter_events TO <service>;
ALTER TABLE dead_letter_events ADD COLUMN published_by text,
    DROP CONSTRAINT dead_letter_events_error_class_check,
    ADD CONSTRAINT dead_letter_events_error_class_check
        CHECK (error_class IN ('transient', 'poison', 'refused', 'unsupported', 'forged'));
