import { clock } from '@teu/ids';
import {
  UsageRecord,
  UsageServiceService,
  UsageSummary,
  type UsageFilter,
  type UsageRecord as Record,
} from '@teu/proto/cgroup';
import { EngineServiceService, SettleUsageRequest } from '@teu/proto/engine';
import { UsageError } from '../cli-error.js';
import type { Command, Invocation } from '../command.js';
import type { Context } from '../context.js';
import { parseWholeNumber } from '../options/quantities.js';
import {
  groupByWords,
  parseGroupBy,
  usageFilterOf,
  usageFilterOptions,
  type UsageGroups,
} from '../options/usage-options.js';
import { csvLine } from '../output/csv.js';
import { jsonDocument, jsonLine } from '../output/json.js';
import { formatTable } from '../output/table.js';
import {
  recordCells,
  recordNames,
  recordTitles,
  recordValues,
  summaryCells,
  summaryNames,
  summaryTitles,
  summaryValues,
} from '../output/usage-rows.js';

const PAGE_SIZE = 1000;
const TIMEOUT_MS = 60_000;
/** A little longer than the engine waits. */
const SETTLE_TIMEOUT_MS = 1_500;

export const usage: Command = {
  name: 'usage',
  group: 'containers',
  summary: 'Show what containers have used, also those that are removed',
  usage: '',
  options: [
    ...usageFilterOptions,
    {
      ...{ name: 'group-by', kind: 'value', value: 'WHAT', suggestions: groupByWords },
      doc: 'sums by container, image, group or label=NAME, instead of each run',
    },
    { name: 'follow', kind: 'flag', doc: 'show runs as they end' },
    {
      ...{ name: 'from', kind: 'value', value: 'SEQUENCE' },
      doc: 'with --follow: begin with the record of this number; 1 for the oldest',
    },
    {
      ...{ name: 'format', kind: 'value', value: 'FORMAT', choices: ['table', 'json', 'csv'] },
      doc: 'table for people, json for programs, csv in seconds and bytes',
    },
  ],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  examples: [
    { command: 'teu usage --since 24h --running', meaning: 'each run of the last day' },
    { command: 'teu usage --group-by image', meaning: 'what each image came to' },
    { command: 'teu usage --group-by label=customer --format csv', meaning: 'for a bill' },
  ],
  async run(invocation) {
    const { context, options } = invocation;
    if (options.flag('follow')) return follow(invocation);
    if (options.value('from') !== undefined) throw new UsageError('--from is for --follow');
    const filter = usageFilterOf(options);
    const groupBy = options.value('group-by');
    await settleUsage(context);
    const text =
      groupBy === undefined
        ? await showRuns(invocation, filter)
        : await showSums(invocation, filter, groupBy);
    await context.stdout.write(text);
    return 0;
  },
};

/** What has just ended shall be there. Where the engine does not answer, what the ledger has is shown all the same. */
async function settleUsage({ services, abort: signal }: Context): Promise<void> {
  const options = { signal, timeoutMs: SETTLE_TIMEOUT_MS };
  const request = SettleUsageRequest.create();
  await services.engine
    .unary(EngineServiceService.settleUsage, request, options)
    .catch(() => undefined);
}

async function showRuns({ context, options }: Invocation, filter: UsageFilter): Promise<string> {
  const records = await listRecords(context, filter);
  switch (options.value('format')) {
    case 'json':
      return jsonDocument({ records: records.map((record) => UsageRecord.toJSON(record)) });
    case 'csv':
      return [recordNames, ...records.map(recordValues)].map(csvLine).join('');
    default: {
      const now = clock.now();
      return formatTable(
        recordTitles,
        records.map((record) => recordCells(record, now)),
      );
    }
  }
}

async function showSums(
  { context, options }: Invocation,
  filter: UsageFilter,
  groupBy: string,
): Promise<string> {
  const groups = parseGroupBy(groupBy);
  const summaries = await listSummaries(context, filter, groups);
  switch (options.value('format')) {
    case 'json':
      return jsonDocument({ summaries: summaries.map((summary) => UsageSummary.toJSON(summary)) });
    case 'csv':
      return [summaryNames, ...summaries.map(summaryValues)].map(csvLine).join('');
    default:
      return formatTable(summaryTitles(groups.label || groupBy), summaries.map(summaryCells));
  }
}

async function follow({ context, options }: Invocation): Promise<number> {
  refuseFilters(options);
  const from = options.value('from');
  const fromSequence =
    from === undefined ? 0 : parseWholeNumber(from, '--from', 1, Number.MAX_SAFE_INTEGER);
  const format = options.value('format') ?? 'table';
  const responses = context.services.cgroup.serverStream(
    UsageServiceService.watchUsage,
    { fromSequence, untilNow: false },
    { signal: context.abort },
  );
  if (format === 'csv') await context.stdout.write(csvLine(recordNames));
  for await (const { record } of responses) {
    if (record !== undefined) await context.stdout.write(followLine(record, format));
  }
  return 0;
}

function followLine(record: Record, format: string): string {
  if (format === 'json') return jsonLine(UsageRecord.toJSON(record));
  if (format === 'csv') return csvLine(recordValues(record));
  const cells = recordCells(record, clock.now());
  const shown = cells.map((cell, index) => `${(recordTitles[index] ?? '').toLowerCase()}=${cell}`);
  return `${String(record.sequence)} ${shown.join('  ')}\n`;
}

/** The stream has all records; what it should leave out would leave gaps in the numbers. */
function refuseFilters(options: Invocation['options']): void {
  const given = [...usageFilterOptions, { name: 'group-by', kind: 'value' as const }].find(
    ({ name, kind }) =>
      kind === 'flag'
        ? options.flag(name)
        : kind === 'list'
          ? options.list(name).length > 0
          : options.value(name) !== undefined,
  );
  if (given === undefined) return;
  throw new UsageError(
    `--${given.name} does not go with --follow`,
    'the stream has every run that ends; pick from its json',
  );
}

async function listRecords(context: Context, filter: UsageFilter): Promise<Record[]> {
  const found: Record[] = [];
  let pageToken = '';
  do {
    const page = await context.services.cgroup.unary(
      UsageServiceService.listUsage,
      { filter, pageSize: PAGE_SIZE, pageToken },
      { signal: context.abort, timeoutMs: TIMEOUT_MS },
    );
    found.push(...page.records);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

async function listSummaries(
  context: Context,
  filter: UsageFilter,
  { grouping, label }: UsageGroups,
): Promise<UsageSummary[]> {
  const found: UsageSummary[] = [];
  let pageToken = '';
  do {
    const page = await context.services.cgroup.unary(
      UsageServiceService.summarizeUsage,
      { filter, grouping, label, pageSize: PAGE_SIZE, pageToken },
      { signal: context.abort, timeoutMs: TIMEOUT_MS },
    );
    found.push(...page.summaries);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}
