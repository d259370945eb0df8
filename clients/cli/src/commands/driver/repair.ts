import { DriverRegistryServiceService } from '@teu/proto/engine';
import { repairActionToJSON, RepairSnapshotsResponse, type Repair } from '@teu/proto/storage';
import type { Command, Invocation } from '../../command.js';
import { visible } from '../../output/visible.js';
import { checkOptions, printReport, type ReportPart } from './check.js';
import { enumWords, findingLine } from './finding-lines.js';

/** What became of a finding, and what it was. */
function repairLine({ finding, action, detail }: Repair): string {
  const done = enumWords(repairActionToJSON(action), 'REPAIR_ACTION_');
  const what = finding === undefined ? '' : ` ${findingLine(finding)}`;
  return `${done}${what}${detail === '' ? '' : `: ${visible(detail)}`}`;
}

async function* repairParts({ context, options, args }: Invocation): AsyncGenerator<ReportPart> {
  const [name = '', key = ''] = args;
  const responses = context.services.engine.serverStream(
    DriverRegistryServiceService.repairDriver,
    { name, repair: { key, readData: options.flag('read-data') } },
    { signal: context.abort },
  );
  for await (const { repair } of responses) {
    const part = repair?.part;
    if (repair === undefined || part === undefined) continue;
    const json = RepairSnapshotsResponse.toJSON(repair);
    yield part.$case === 'repair'
      ? { json, line: repairLine(part.value) }
      : { json, summary: part.value };
  }
}

export const driverRepair: Command = {
  name: 'driver repair',
  group: 'engine',
  summary: 'Check a storage driver, mend what can be mended, and quarantine what cannot',
  usage: 'NAME [SNAPSHOT]',
  options: checkOptions,
  arguments: { min: 1, max: 2 },
  completes: 'drivers',
  failureCode: 125,
  argumentsCode: 125,
  examples: [
    { command: 'teu driver repair overlay2', meaning: 'ends with 1 if something remains wrong' },
  ],
  run: (invocation) => printReport(invocation, repairParts(invocation), true),
};
