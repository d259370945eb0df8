import { clock } from '@teu/ids';
import { EngineServiceService, ReadLogsRequest } from '@teu/proto/engine';
import { outputOf } from '../attachment/output-records.js';
import type { Command } from '../command.js';
import { parseTime, parseWholeNumber } from '../options/quantities.js';
import { LineStamps } from '../output/line-stamps.js';

export const logs: Command = {
  name: 'logs',
  group: 'containers',
  summary: 'Show what a container has printed',
  usage: 'CONTAINER',
  options: [
    { name: 'follow', short: 'f', kind: 'flag', doc: 'go on until the container ends' },
    {
      ...{ name: 'tail', short: 'n', kind: 'value', value: 'LINES' },
      doc: 'only the last lines; "all" for all',
    },
    {
      name: 'since',
      kind: 'value',
      value: 'TIME',
      doc: 'only from then on; 10m means 10 minutes ago',
    },
    { name: 'timestamps', short: 't', kind: 'flag', doc: 'put the time before each line' },
  ],
  arguments: { min: 1, max: 1 },
  completes: 'containers',
  examples: [
    { command: 'teu logs -f --tail 10 web', meaning: 'the last lines, and those to come' },
    { command: 'teu logs --since 1h -t web', meaning: 'the last hour, with times' },
  ],
  async run({ context, options, args }) {
    const tail = options.value('tail') ?? 'all';
    const since = options.value('since');
    const request = ReadLogsRequest.create({
      container: args[0] ?? '',
      follow: options.flag('follow'),
      ...(tail === 'all'
        ? {}
        : { tailLines: parseWholeNumber(tail, '--tail', 0, Number.MAX_SAFE_INTEGER) }),
      ...(since === undefined ? {} : { since: parseTime(since, '--since', clock.now()) }),
    });
    const stamps = options.flag('timestamps') ? new LineStamps() : undefined;
    const responses = context.services.engine.serverStream(EngineServiceService.readLogs, request, {
      signal: context.abort,
    });
    for await (const { records } of responses) {
      for (const record of records) {
        const bytes = stamps === undefined ? record.data : stamps.stamp(record);
        await outputOf(context, record).write(bytes);
      }
    }
    return 0;
  },
};
