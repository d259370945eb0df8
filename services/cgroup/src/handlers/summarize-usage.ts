import { teuError } from '@teu/errors';
import { parsePageSize } from '@teu/ids';
import {
  UsageFilter,
  UsageGrouping,
  type SummarizeUsageRequest,
  type SummarizeUsageResponse,
} from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { pageToken, parsePageToken } from '../ledger/page-token.js';
import { summarize, type Grouping } from '../ledger/summarize.js';
import { parseFilter } from '../store/usage-filter.js';

const GROUPINGS = Object.values(UsageGrouping);

/** Adds records up; a page goes on behind the last key of the one before. */
export async function summarizeUsage(
  { store, ledger }: CgroupParts,
  request: SummarizeUsageRequest,
): Promise<SummarizeUsageResponse> {
  const size = parsePageSize(request.pageSize);
  const place = parsePageToken(request.pageToken, ['string']);
  const grouping = parseGrouping(request);
  const filter = parseFilter(store, request.filter ?? UsageFilter.create());
  // Later pages go on with what the first one has found.
  if (filter.withRunning && place === undefined)
    await ledger.refresh({ durable: false, all: true });
  const behind = place === undefined ? undefined : String(place[0]);
  const summaries = summarize(store, filter, grouping, { behind, size: size + 1 });
  const page = summaries.slice(0, size);
  const last = page.at(-1);
  const isMore = summaries.length > size && last !== undefined;
  return { summaries: page, nextPageToken: isMore ? pageToken(last.key) : '' };
}

function parseGrouping({ grouping: kind, label }: SummarizeUsageRequest): Grouping {
  if (!GROUPINGS.includes(kind) || kind === UsageGrouping.UNRECOGNIZED) {
    throw invalid('grouping', 'is none that is known');
  }
  const isByLabel = kind === UsageGrouping.USAGE_GROUPING_LABEL;
  if (isByLabel && label === '') throw invalid('label', 'is missing');
  if (!isByLabel && label !== '') throw invalid('label', 'is only for sums by label');
  return { kind, label };
}

function invalid(field: string, problem: string): Error {
  return teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}
