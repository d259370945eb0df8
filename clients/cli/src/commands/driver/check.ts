import { DriverRegistryServiceService } from '@teu/proto/engine';
import { CheckSnapshotsResponse, type CheckSummary } from '@teu/proto/storage';
import { CliError } from '../../cli-error.js';
import type { Command, Invocation } from '../../command.js';
import type { OptionSpec } from '../../options/parse-options.js';
import { ActivityLine } from '../../output/activity-line.js';
import { formatOption, jsonLine, wantsJson } from '../../output/json.js';
import { findingLine, summaryLine } from './finding-lines.js';

/** Options of check and repair. */
export const checkOptions: readonly OptionSpec[] = [
  {
    ...{ name: 'read-data', kind: 'flag' },
    doc: 'read every byte; without it files are told by size, times and other attributes',
  },
  formatOption,
];

/** One part of what check and repair answer: a line about a finding, or the end. */
export interface ReportPart {
  readonly json: unknown;
  /** Absent in the last part. */
  readonly line?: string;
  /** What was gone through; in the last part only. */
  readonly summary?: CheckSummary;
}

/**
 * Prints parts as they come.
 * @returns exit code: 1 if something is wrong and remains so
 */
export async function printReport(
  { context, options, args }: Invocation,
  parts: AsyncIterable<ReportPart>,
  isRepair: boolean,
): Promise<number> {
  const json = wantsJson(options);
  const verb = isRepair ? 'Repairing' : 'Checking';
  const activity = new ActivityLine(context.stderr, `${verb} ${args[0] ?? ''}`);
  let end: CheckSummary | undefined;
  try {
    for await (const part of parts) {
      await activity.hide();
      if (json) await context.stdout.write(jsonLine(part.json));
      else if (part.line !== undefined) await context.stdout.write(`${part.line}\n`);
      end = part.summary ?? end;
    }
  } finally {
    await activity.end();
  }
  if (end === undefined) throw new CliError('the driver ended without a summary');
  if (!json) await context.stdout.write(`${summaryLine(end, isRepair)}\n`);
  return end.remainingCount > 0 ? 1 : 0;
}

async function* checkParts({ context, options, args }: Invocation): AsyncGenerator<ReportPart> {
  const [name = '', key = ''] = args;
  const responses = context.services.engine.serverStream(
    DriverRegistryServiceService.checkDriver,
    { name, check: { key, readData: options.flag('read-data') } },
    { signal: context.abort },
  );
  for await (const { check } of responses) {
    const part = check?.part;
    if (check === undefined || part === undefined) continue;
    const json = CheckSnapshotsResponse.toJSON(check);
    yield part.$case === 'finding'
      ? { json, line: findingLine(part.value) }
      : { json, summary: part.value };
  }
}

export const driverCheck: Command = {
  name: 'driver check',
  group: 'engine',
  summary: 'Compare what a storage driver has on disk with what was committed; changes nothing',
  usage: 'NAME [SNAPSHOT]',
  options: checkOptions,
  arguments: { min: 1, max: 2 },
  completes: 'drivers',
  failureCode: 125,
  argumentsCode: 125,
  examples: [
    {
      command: 'teu driver check overlay2',
      meaning: 'ends with 0, or with 1 if something is wrong',
    },
    { command: 'teu driver check overlay2 --read-data', meaning: 'every byte; takes its time' },
  ],
  run: (invocation) => printReport(invocation, checkParts(invocation), false),
};
