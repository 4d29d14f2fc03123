//! What the earlier system's database does with the events: one table, its append-only trigger, three indexes.

use std::time::{Duration, Instant};

use meed_benches::workload::{Sample, WEEK_START_MS, sample};
use postgres::{Client, Statement};

use crate::cluster::Cluster;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const SCHEMA: &str = "
DROP TABLE IF EXISTS statements, allocations, weights, activity_events;
CREATE TABLE activity_events (
  id text PRIMARY KEY, node_id uuid NOT NULL, scope_id uuid NOT NULL, source text NOT NULL, event_type text NOT NULL,
  platform_user_id text NOT NULL, platform_login text, artifact_url text, metadata jsonb, payload_hash text NOT NULL,
  producer text NOT NULL, producer_version text NOT NULL, event_time timestamptz NOT NULL,
  retrieved_at timestamptz NOT NULL, ingested_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX events_by_time ON activity_events (node_id, scope_id, event_time);
CREATE INDEX events_by_type ON activity_events (source, event_type);
CREATE INDEX events_by_user ON activity_events (platform_user_id);
CREATE OR REPLACE FUNCTION reject_change() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'activity_events is append-only'; END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON activity_events FOR EACH ROW EXECUTE FUNCTION reject_change();
CREATE TABLE weights (event_type text PRIMARY KEY, units numeric NOT NULL);
INSERT INTO weights VALUES ('pr_merged', 1000), ('review_submitted', 500), ('issue_closed', 300);
CREATE TABLE allocations (user_id text PRIMARY KEY, units numeric, events bigint, credits numeric);
CREATE TABLE statements (epoch bigint PRIMARY KEY, hash bytea, lines jsonb);
";

const INSERT: &str = "
INSERT INTO activity_events (id, node_id, scope_id, source, event_type, platform_user_id, platform_login, artifact_url,
  metadata, payload_hash, producer, producer_version, event_time, retrieved_at)
SELECT id, '00000000-0000-4000-8000-000000000001', '7794c09c-5294-5cdb-acc4-2e1661ec299d', 'github', type, person,
  'person-' || person, url, jsonb_build_object('title', title), hash, 'bench', '1',
  to_timestamp(ms / 1000.0), now()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[])
  AS row (id, type, person, url, title, hash, ms)
ON CONFLICT DO NOTHING";

/// The payout rule in SQL: sums, floors, the left-over credits to the largest remainders, the statement as JSON.
/// It builds no tree.
const FINALIZE: &str = "
WITH units AS MATERIALIZED (
  SELECT platform_user_id AS user_id, sum(w.units) AS units, count(*) AS events
  FROM activity_events e JOIN weights w USING (event_type)
  WHERE node_id = '00000000-0000-4000-8000-000000000001' AND scope_id = '7794c09c-5294-5cdb-acc4-2e1661ec299d'
    AND event_time >= to_timestamp($1::float8 / 1000.0) AND event_time < to_timestamp($1::float8 / 1000.0) + interval '7 days'
  GROUP BY platform_user_id),
total AS MATERIALIZED (SELECT sum(units) AS units FROM units),
floors AS (
  SELECT user_id, u.units, events, div(u.units * $2::text::numeric, t.units) AS floor,
    mod(u.units * $2::text::numeric, t.units) AS remainder
  FROM units u, total t),
ranked AS (
  SELECT *, row_number() OVER (ORDER BY remainder DESC, user_id) AS rank, $2::text::numeric - sum(floor) OVER () AS left_over
  FROM floors)
INSERT INTO allocations
SELECT user_id, units, events, floor + CASE WHEN rank <= left_over THEN 1 ELSE 0 END FROM ranked";

const STATEMENT: &str = "
INSERT INTO statements
SELECT 1, sha256(convert_to(string_agg(user_id || ':' || units, E'\\n' ORDER BY user_id), 'UTF8')),
  jsonb_agg(jsonb_build_object('user', user_id, 'units', units::text, 'credits', credits::text) ORDER BY user_id)
FROM allocations";

/// Makes the tables anew.
pub(crate) fn reset(cluster: &Cluster) -> Outcome<()> {
    let mut client = connect(cluster)?;
    client.batch_execute(SCHEMA)?;
    client.batch_execute("CHECKPOINT")?;
    Ok(())
}

/// Inserts events `first..last` over `connections` connections at once, `batch_events` in each transaction, and gives
/// the time of the slowest one. Making the events is not counted, making columns of them is.
pub(crate) fn ingest(
    cluster: &Cluster,
    first: u64,
    last: u64,
    connections: u64,
    batch_events: usize,
) -> Outcome<Duration> {
    let share = (last - first).div_ceil(connections);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|worker| {
                let start = first + worker * share;
                scope.spawn(move || insert_range(cluster, start, (start + share).min(last), batch_events))
            })
            .collect();
        let mut times = workers.into_iter().map(|worker| worker.join().map_err(|_| "a worker panicked")?);
        times.try_fold(Duration::ZERO, |slowest, time| Ok(slowest.max(time?)))
    })
}

fn insert_range(cluster: &Cluster, first: u64, last: u64, batch_events: usize) -> Outcome<Duration> {
    let mut client = connect(cluster)?;
    let insert = client.prepare(INSERT)?;
    let (mut next, mut spent) = (first, Duration::ZERO);
    while next < last {
        let end = (next + batch_events as u64).min(last);
        let rows: Vec<Sample> = (next..end).map(sample).collect();
        let start = Instant::now();
        insert_rows(&mut client, &insert, &rows)?;
        spent += start.elapsed();
        next = end;
    }
    Ok(spent)
}

fn insert_rows(client: &mut Client, insert: &Statement, rows: &[Sample]) -> Outcome<()> {
    let column = |field: fn(&Sample) -> String| rows.iter().map(field).collect::<Vec<String>>();
    let times: Vec<f64> = rows.iter().map(|row| row.event_time_ms as f64).collect();
    client.execute(
        insert,
        &[
            &column(|row| row.id.clone()),
            &column(|row| row.event_type.to_owned()),
            &column(|row| row.person.to_string()),
            &column(|row| row.url.clone()),
            &column(|row| row.title.clone()),
            &column(|row| row.payload_hash.to_hex()),
            &times,
        ],
    )?;
    Ok(())
}

/// Sums, payouts and statement, all stored in one transaction.
pub(crate) fn finalize(cluster: &Cluster, pool: u128) -> Outcome<()> {
    let mut client = connect(cluster)?;
    let mut transaction = client.transaction()?;
    transaction.execute(FINALIZE, &[&(WEEK_START_MS as f64), &pool.to_string()])?;
    transaction.execute(STATEMENT, &[])?;
    Ok(transaction.commit()?)
}

/// Bytes of the table and its indexes.
pub(crate) fn disk_bytes(cluster: &Cluster) -> Outcome<u64> {
    let row = connect(cluster)?.query_one("SELECT pg_total_relation_size('activity_events')", &[])?;
    Ok(u64::try_from(row.get::<_, i64>(0))?)
}

/// Brings the planner's statistics up to date, as autovacuum would before a week is over.
pub(crate) fn analyze(cluster: &Cluster) -> Outcome<()> {
    Ok(connect(cluster)?.batch_execute("VACUUM ANALYZE activity_events")?)
}

/// How many events are stored.
pub(crate) fn events_count(cluster: &Cluster) -> Outcome<u64> {
    let row = connect(cluster)?.query_one("SELECT count(*) FROM activity_events", &[])?;
    Ok(u64::try_from(row.get::<_, i64>(0))?)
}

fn connect(cluster: &Cluster) -> Outcome<Client> {
    cluster.connect().map_err(|error| error.to_string().into())
}
