import { EngineServiceService } from '@teu/proto/engine';
import { UsageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { forEachContainer } from '../for-each.js';
import { isAnyGiven, resourceOptions, resourcesOf } from '../options/resource-options.js';
import { formatOption } from '../output/json.js';

/** The kernel frees what a lower limit of memory leaves no room for, in seconds for gigabytes. */
const TIMEOUT_MS = 60_000;

export const update: Command = {
  name: 'update',
  group: 'containers',
  summary: 'Change limits of containers, at once if they run',
  usage: 'CONTAINER...',
  options: [...resourceOptions, formatOption],
  arguments: { min: 1 },
  completes: 'containers',
  examples: [
    { command: 'teu update --memory 128m --pids-limit 50 web', meaning: 'what is not named stays' },
  ],
  async run(invocation) {
    const { context } = invocation;
    const resources = await resourcesOf(invocation);
    if (!isAnyGiven(resources)) throw new UsageError('no limit is given that is to be changed');
    return forEachContainer(invocation, update, (container) =>
      context.services.engine.unary(
        EngineServiceService.updateContainer,
        { container, resources },
        { signal: context.abort, timeoutMs: TIMEOUT_MS },
      ),
    );
  },
};
