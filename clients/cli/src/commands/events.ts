import { EngineServiceService, WatchEventsResponse } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { parseWholeNumber } from '../options/quantities.js';
import { eventLine } from '../output/event-line.js';
import { formatOption, jsonLine, wantsJson } from '../output/json.js';

export const events: Command = {
  name: 'events',
  group: 'engine',
  summary: 'Show what happens, and what happened since a numbered event',
  usage: '',
  options: [
    {
      ...{ name: 'since', kind: 'value', value: 'SEQUENCE' },
      doc: 'begin with the event of this number; 1 for the oldest',
    },
    { name: 'until-now', kind: 'flag', doc: 'end after the newest there is' },
    { name: 'container', kind: 'value', value: 'CONTAINER', doc: 'only about this container' },
    formatOption,
  ],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  examples: [
    { command: 'teu events', meaning: 'from now on' },
    { command: 'teu events --since 120 --format json', meaning: 'go on after event 119' },
  ],
  async run({ context, options }) {
    const since = options.value('since');
    const responses = context.services.engine.serverStream(
      EngineServiceService.watchEvents,
      {
        fromSequence:
          since === undefined ? 0 : parseWholeNumber(since, '--since', 1, Number.MAX_SAFE_INTEGER),
        untilNow: options.flag('until-now'),
        container: options.value('container') ?? '',
      },
      { signal: context.abort },
    );
    const json = wantsJson(options);
    for await (const response of responses) {
      if (response.event === undefined) continue;
      await context.stdout.write(
        json
          ? jsonLine(WatchEventsResponse.toJSON(response))
          : `${eventLine(response.sequence, response.event)}\n`,
      );
    }
    return 0;
  },
};
