-- serves-from: 0001
-- The W3C trace context of what asked for the work, so that its call is part of the same trace.
ALTER TABLE work_items ADD COLUMN traceparent text;
