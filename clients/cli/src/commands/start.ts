import { isTeuError } from '@teu/errors';
import { clock } from '@teu/ids';
import { EngineServiceService, type Container } from '@teu/proto/engine';
import { attachContainer } from '../attachment/attach-container.js';
import { CliError, UsageError } from '../cli-error.js';
import type { Command, Invocation } from '../command.js';
import { forEachContainer } from '../for-each.js';
import { formatOption, wantsJson } from '../output/json.js';
import { followStarted } from './follow-started.js';
import { startTimeoutMs } from './timeouts.js';

async function startOne(invocation: Invocation, name: string) {
  const { context } = invocation;
  const { container } = await context.services.engine.unary(
    EngineServiceService.startContainer,
    { container: name },
    { timeoutMs: startTimeoutMs, signal: context.abort },
  );
  if (container === undefined) throw new CliError(`the engine did not describe ${name}`);
  return container;
}

/** Attaches from the first byte on; a program that has ended before leaves its output in the log. */
async function attachStarted(
  invocation: Invocation,
  container: Container,
  since: Date,
): Promise<number> {
  const { context } = invocation;
  try {
    const options = { stdin: true, signals: true, fromOffset: 0, since };
    return await attachContainer(context, container, options);
  } catch (error) {
    if (!isTeuError(error, 'CONTAINER_NOT_RUNNING')) throw error;
    return followStarted(context, container, since);
  }
}

export const start: Command = {
  name: 'start',
  group: 'containers',
  summary: 'Start containers that were made or have ended',
  usage: 'CONTAINER...',
  options: [
    { name: 'attach', short: 'a', kind: 'flag', doc: 'show its output and pass signals on' },
    { name: 'interactive', short: 'i', kind: 'flag', doc: 'pass standard input on' },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'stopped',
  examples: [{ command: 'teu start -a job', meaning: 'start it and wait for its end' }],
  async run(invocation) {
    const { context, options, args } = invocation;
    const interactive = options.flag('interactive');
    if (!options.flag('attach') && !interactive) {
      return forEachContainer(invocation, start, (name) => startOne(invocation, name));
    }
    if (wantsJson(options)) throw new UsageError('--format json is not for output of a container');
    if (args.length > 1) throw new UsageError('only one container can be attached to');
    // The log may hold the output of earlier runs; this run's begins now.
    const since = clock.now();
    const container = await startOne(invocation, args[0] ?? '');
    if (!interactive) return followStarted(context, container, since);
    return attachStarted(invocation, container, since);
  },
};
