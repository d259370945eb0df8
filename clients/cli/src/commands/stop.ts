import { EngineServiceService, StopContainerRequest } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { forEachContainer } from '../for-each.js';
import { parseWholeNumber } from '../options/quantities.js';
import { formatOption } from '../output/json.js';
import { startTimeoutMs, stopMarginMs } from './timeouts.js';

export const stop: Command = {
  name: 'stop',
  group: 'containers',
  summary: 'Ask containers to stop, and kill those that do not',
  usage: 'CONTAINER...',
  options: [
    {
      name: 'time',
      short: 't',
      kind: 'value',
      value: 'SECONDS',
      doc: 'time to stop in; without it the container’s own, usually 10',
    },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'running',
  examples: [{ command: 'teu stop -t 1 web', meaning: 'kill it after a second' }],
  async run(invocation) {
    const { context, options } = invocation;
    const given = options.value('time');
    const seconds = given === undefined ? undefined : parseWholeNumber(given, '--time', 0, 86_400);
    const timeoutMs =
      seconds === undefined ? startTimeoutMs : Math.max(seconds * 1000 + stopMarginMs, 0);
    return forEachContainer(invocation, stop, (container) =>
      context.services.engine.unary(
        EngineServiceService.stopContainer,
        StopContainerRequest.create({
          container,
          ...(seconds === undefined ? {} : { timeoutDuration: { seconds, nanos: 0 } }),
        }),
        { timeoutMs, signal: context.abort },
      ),
    );
  },
};
