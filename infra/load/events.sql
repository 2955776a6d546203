-- An outbox with :events events of transfers between random wallets, as wallet-ledger writes them, 10 ms apart, the last one now.
-- :hot is 1 where all have the partition key of one wallet. Then what a cell waits for: the marks behind the last event of each partition.
CREATE FUNCTION pg_temp.written(kind text, id uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT kind || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + substring(bits FROM 1 + 5 * digit FOR 5)::integer, 1), '' ORDER BY digit)
    FROM (SELECT B'00' || ('x' || replace(id::text, '-', ''))::bit(128) AS bits) b, generate_series(0, 25) digit
$$;

CREATE TEMPORARY TABLE named AS
    SELECT row_number() OVER (ORDER BY id) - 1 AS n, pg_temp.written('wal', id) AS name FROM wallets WHERE NOT is_world;
CREATE UNIQUE INDEX ON named (n);
ANALYZE named;

INSERT INTO outbox_events (event_id, type, subject, partition_key, occurred_at, traceparent, data)
SELECT
    (milliseconds || '7' || substr(md5('event' || i), 1, 3) || 'a' || substr(md5('event' || i), 4, 15))::uuid,
    'ledger.transfer.posted.v1', transfer, CASE :hot WHEN 1 THEN first.name ELSE source.name END, at,
    '00-' || md5('trace' || i) || '-' || substr(md5('span' || i), 1, 16) || '-00',
    format(
        '{"transfer_id":"%s","kind":"transfer","amount":1999,"currency":"EUR","posted_at":"%s","legs":[{"wallet_id":"%s","wallet_version":%s,"amount":-1999,"balance_after":-1999},{"wallet_id":"%s","wallet_version":%s,"amount":1999,"balance_after":1999}]}',
        transfer, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), source.name, i, destination.name, i)
FROM (
    SELECT i, at, milliseconds, source_n, (source_n + 1 + hashint8extended(i, 2) % 4999 + 4999) % wallets AS destination_n,
        pg_temp.written('trf', (milliseconds || '7' || substr(md5('transfer' || i), 1, 3) || 'a' || substr(md5('transfer' || i), 4, 14) || '0')::uuid) AS transfer
    FROM (
        SELECT i, at, lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS milliseconds, wallets,
            (hashint8extended(i, 1) % wallets + wallets) % wallets AS source_n
        FROM generate_series(1, :events) i, LATERAL (SELECT now() - (:events - i) * interval '10 ms' AS at) t,
            (SELECT count(*) AS wallets FROM named) w
    ) drawn
) chosen
JOIN named first ON first.n = 0 JOIN named source ON source.n = source_n JOIN named destination ON destination.n = destination_n
ORDER BY i;

CREATE TABLE bench_last AS
    SELECT (hashtextextended(partition_key, 0) & 63)::smallint AS partition, max(id) AS id FROM outbox_events GROUP BY 1;

-- Seconds from the first lease to the last mark.
CREATE FUNCTION bench_marks() RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    begun timestamptz;
BEGIN
    WHILE NOT EXISTS (SELECT FROM relay_partitions WHERE owner IS NOT NULL) LOOP
        PERFORM pg_sleep(0.002);
    END LOOP;
    begun := clock_timestamp();
    WHILE EXISTS (SELECT FROM relay_partitions p JOIN bench_last l ON l.partition = p.partition WHERE p.published_through < l.id) LOOP
        PERFORM pg_sleep(0.005);
    END LOOP;
    RETURN extract(epoch FROM clock_timestamp() - begun);
END $$;
