import { parsePageSize } from '@teu/ids';
import { UsageFilter, type ListUsageRequest, type ListUsageResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { pageToken, parsePageToken } from '../ledger/page-token.js';
import { shareOf } from '../ledger/windows.js';
import { all, parseFilter, type Condition } from '../store/usage-filter.js';
import { recordOf, SELECT_RUN, type RunRow } from '../store/usage-table.js';

/** Lists runs by their start; a page goes on behind the last run of the one before. */
export async function listUsage(
  { store, ledger }: CgroupParts,
  request: ListUsageRequest,
): Promise<ListUsageResponse> {
  const size = parsePageSize(request.pageSize);
  const place = parsePageToken(request.pageToken, ['number', 'number']);
  const filter = parseFilter(store, request.filter ?? UsageFilter.create());
  // Later pages go on with what the first one has found.
  if (filter.withRunning && place === undefined)
    await ledger.refresh({ durable: false, all: true });
  const { sql, values } = all([filter.condition, ...(place === undefined ? [] : [behind(place)])]);
  const rows = store
    .prepare<RunRow>(
      `SELECT ${SELECT_RUN} FROM usage_runs JOIN usage_details USING (run_id) WHERE ${sql}
       ORDER BY start_time, run_id LIMIT ?`,
    )
    .all(...values, size + 1);
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const isMore = rows.length > size && last !== undefined;
  return {
    records: page.map((row) => recordOf(row, shareOf(store, row, filter.window))),
    nextPageToken: isMore ? pageToken(last.startTime, last.runId) : '',
  };
}

function behind(place: readonly (string | number)[]): Condition {
  return { sql: '(start_time, run_id) > (?, ?)', values: place };
}
