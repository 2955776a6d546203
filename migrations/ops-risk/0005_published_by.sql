-- serves-from: 0004
-- Who published a dead letter's event is kept with it.
GRANT UPDATE (published_by) ON dead_letter_events TO ops_risk;
