-- serves-from: 0001
-- As migrations/shared/consumption/0003 asks for.
GRANT UPDATE (published_by) ON dead_letter_events TO ops_risk;
