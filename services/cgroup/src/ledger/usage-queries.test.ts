import { UsageFilter, UsageGrouping } from '@teu/proto/cgroup';
import { silentLogger } from '@teu/log';
import type { Store } from '@teu/state';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CgroupParts } from '../cgroup-parts.js';
import { listUsage } from '../handlers/list-usage.js';
import { summarizeUsage } from '../handlers/summarize-usage.js';
import { parseFilter } from '../store/usage-filter.js';
import { emptyStore, idOf } from '../testing/usage-store.js';
import { COUNTERS, FIGURE_NAMES, isPeak, PEAKS } from './figures.js';
import { prune } from './housekeeping.js';

const COUNT = 100_000;
const MINUTE = 60_000;
const BEGIN = Date.UTC(2026, 0, 1);

let store: Store;
let remove: () => void;
let parts: CgroupParts;
let refreshCount = 0;

beforeAll(() => {
  ({ store, remove } = emptyStore());
  const refresh = async () => {
    refreshCount += 1;
  };
  parts = { store, ledger: { refresh }, log: silentLogger } as never;
  store.transaction(fillStore, { durable: false });
});
afterAll(() => remove());

/** One run a minute, each of ten minutes, of 50 images and 3 customers; by SQL, since there are so many. */
function fillStore(): void {
  const zeros = FIGURE_NAMES.filter((name) => !['wallUs', 'cpuUs', 'memoryPeak'].includes(name));
  const columns = zeros.map((name) => (isPeak(name) ? PEAKS[name] : COUNTERS[name]));
  store.db.exec(`
    CREATE TEMP TABLE numbers (n INTEGER PRIMARY KEY);
    WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted LIMIT ${COUNT})
      INSERT INTO numbers SELECT n FROM counted;
    INSERT INTO usage_runs (run_id, container_id, start_time, name, image, image_id, group_path, boot_id,
        sequence, final_time, end_time, figures_time, wall_us, cpu_us, memory_peak, ${columns.join(', ')})
      SELECT n + 1, printf('%08x%056d', n, 0), ${BEGIN} + n * ${MINUTE}, 'name-' || n, 'image-' || (n % 50),
        'sha256:' || (n % 50), CASE WHEN n % 5 = 0 THEN '' WHEN n % 2 = 0 THEN 'team' ELSE 'team/build' END,
        '', n + 1, ${BEGIN}, ${BEGIN} + (n + 10) * ${MINUTE}, ${BEGIN}, 600000000, 1000000, n,
        ${columns.map(() => '0').join(', ')}
      FROM numbers;
    INSERT INTO usage_details SELECT n + 1, zeroblob(0) FROM numbers;
    INSERT INTO usage_labels SELECT n + 1, 'customer', 'c' || (n % 3) FROM numbers WHERE n % 10 = 0;
    UPDATE usage_state SET last_sequence = ${COUNT};
    DROP TABLE numbers`);
}

type Filter = Parameters<typeof UsageFilter.fromPartial>[0];

const list = (filter: Filter, pageToken = '', pageSize = 1000) =>
  listUsage(parts, { filter: UsageFilter.fromPartial(filter), pageSize, pageToken });

const sums = async (filter: Filter, grouping: UsageGrouping, label = '', pageToken = '') =>
  summarizeUsage(parts, {
    ...{ filter: UsageFilter.fromPartial(filter), grouping, label, pageSize: 1000, pageToken },
  });

/** How the database finds what a condition asks for. */
function planOf(filter: Filter): string {
  const { condition } = parseFilter(store, UsageFilter.fromPartial(filter));
  return store
    .prepare<{ detail: string }>(
      `EXPLAIN QUERY PLAN SELECT run_id FROM usage_runs WHERE ${condition.sql}
       ORDER BY start_time, run_id LIMIT 1001`,
    )
    .all(...condition.values)
    .map(({ detail }) => detail)
    .join('\n');
}

describe(`of ${COUNT} records`, () => {
  it('lists a page from the begin, the middle and the end at once', async () => {
    const first = await list({});
    expect(first.records).toHaveLength(1000);
    expect(first.records[0]?.sequence).toBe(1);
    const second = await list({}, first.nextPageToken);
    expect(second.records[0]?.sequence).toBe(1001);
    const late = { since: new Date(BEGIN + (COUNT - 5) * MINUTE) };
    const last = await list(late);
    expect(last.records).toHaveLength(14);
    expect(last.nextPageToken).toBe('');
  });

  it.each([
    [{ container: 'name-77' }, 1],
    [{ container: idOf(77) }, 1],
    [{ container: '000000ff' }, 1],
    [{ container: '00000ff' }, 16],
    [{ container: 'nobody' }, 0],
    [{ image: 'image-7' }, 1000],
    [{ image: 'sha256:7', group: 'team/build' }, 1000],
    [{ group: 'team/build/x' }, 0],
    [{ labels: { customer: 'c1' } }, 1000],
    [{ labels: { customer: '' }, until: new Date(BEGIN + 100 * MINUTE) }, 10],
    [{ labels: { nothing: '' } }, 0],
  ] satisfies [Filter, number][])('finds %o', async (filter, count) => {
    expect((await list(filter)).records).toHaveLength(count);
  });

  // The plan says more about how long it takes than a clock on a busy machine.
  it.each([
    [{}, 'SCAN usage_runs USING INDEX usage_runs_by_start'],
    [{ until: new Date(BEGIN) }, 'SEARCH usage_runs USING INDEX usage_runs_by_start'],
    [{ container: 'name-77' }, 'SEARCH usage_runs USING INDEX usage_runs_by_name'],
    [{ container: '00000ff' }, '(container_id>? AND container_id<?)'],
    [{ image: 'image-7' }, 'SEARCH usage_runs USING INDEX usage_runs_by_image '],
    [{ image: 'image-7' }, 'SEARCH usage_runs USING INDEX usage_runs_by_image_id'],
    [{ group: 'team' }, 'SEARCH usage_runs USING INDEX usage_runs_by_group (group_path>?'],
    [{ labels: { customer: 'c1' } }, 'SEARCH usage_labels EXISTS USING'],
  ] satisfies [Filter, string][])('has an index for %o', (filter, how) => {
    expect(planOf(filter)).toContain(how);
  });

  it('adds all up', async () => {
    const { UNSPECIFIED, IMAGE, GROUP, LABEL } = {
      UNSPECIFIED: UsageGrouping.USAGE_GROUPING_UNSPECIFIED,
      IMAGE: UsageGrouping.USAGE_GROUPING_IMAGE,
      GROUP: UsageGrouping.USAGE_GROUPING_GROUP,
      LABEL: UsageGrouping.USAGE_GROUPING_LABEL,
    };
    const [all] = (await sums({}, UNSPECIFIED)).summaries;
    expect(all).toMatchObject({ key: '', runningCount: 0, incompleteCount: 0 });
    expect(all?.usage).toMatchObject({
      ...{ runCount: COUNT, memoryPeakBytes: COUNT - 1 },
      cpuDuration: { seconds: COUNT, nanos: 0 },
      wallDuration: { seconds: COUNT * 600, nanos: 0 },
    });
    const images = (await sums({}, IMAGE)).summaries;
    expect(images).toHaveLength(50);
    expect(images.every(({ usage }) => usage?.runCount === COUNT / 50)).toBe(true);
    const groups = (await sums({}, GROUP)).summaries;
    expect(groups.map(({ key, usage }) => [key, usage?.runCount])).toEqual([
      ['', COUNT * 0.2],
      ['team', COUNT * 0.8],
      ['team/build', COUNT * 0.4],
    ]);
    const labels = (await sums({}, LABEL, 'customer')).summaries;
    expect(labels.map(({ key }) => key)).toEqual(['', 'c0', 'c1', 'c2']);
    const below = (await sums({ group: 'team/build' }, GROUP)).summaries;
    expect(below.map(({ key }) => key)).toEqual(['team/build']);
  });

  it('looks at what runs for the first page only', async () => {
    const container = UsageGrouping.USAGE_GROUPING_CONTAINER;
    const first = await list({ withRunning: true });
    await list({ withRunning: true }, first.nextPageToken);
    expect(refreshCount).toBe(1);
    const firstSums = await sums({ withRunning: true }, container);
    await sums({ withRunning: true }, container, '', firstSums.nextPageToken);
    expect(refreshCount).toBe(2);
    await list({});
    expect(refreshCount).toBe(2);
  });

  it('adds containers up in pages', async () => {
    const container = UsageGrouping.USAGE_GROUPING_CONTAINER;
    const first = await sums({}, container);
    expect(first.summaries).toHaveLength(1000);
    const second = await sums({}, container, '', first.nextPageToken);
    expect(second.summaries[0]).toMatchObject({ key: idOf(1000), name: 'name-1000' });
  });

  it.each([
    ['page_size', () => list({}, '', -1)],
    ['page_token', () => list({}, 'bm9uZQ')],
    ['page_token', () => sums({}, 1, '', 'bm9uZQ')],
    ['filter.since', () => list({ since: new Date(2), until: new Date(1) })],
    ['filter.image', () => list({ image: 'x'.repeat(5000) })],
    ['label', () => sums({}, UsageGrouping.USAGE_GROUPING_LABEL)],
    ['label', () => sums({}, UsageGrouping.USAGE_GROUPING_IMAGE, 'x')],
    ['grouping', () => sums({}, 99 as UsageGrouping)],
  ])('refuses a wrong %s', async (field, call) => {
    await expect(call()).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      metadata: { field },
    });
  });

  it('lets the oldest go when there are too many, and keeps numbers without a gap', () => {
    const retention = { keepMs: 1e12, records: COUNT - 3_000 };
    expect(prune(store, retention, BEGIN)).toBe(2_000);
    expect(prune(store, retention, BEGIN)).toBe(1_000);
    expect(prune(store, retention, BEGIN)).toBe(0);
    const { least, count } = store
      .prepare<{ least: number; count: number }>(
        'SELECT min(sequence) AS least, count(*) AS count FROM usage_runs',
      )
      .get()!;
    expect([least, count]).toEqual([3_001, COUNT - 3_000]);
    expect(store.prepare('SELECT count(*) AS n FROM usage_details').get()).toEqual({
      n: COUNT - 3_000,
    });
    expect(prune(store, { keepMs: -1, records: COUNT }, BEGIN)).toBe(2_000);
  });
});
