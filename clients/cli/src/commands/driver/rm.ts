import { DriverRegistryServiceService } from '@teu/proto/engine';
import type { Command } from '../../command.js';
import { forEachArgument } from '../../for-each.js';
import { formatOption, wantsJson } from '../../output/json.js';
import { removeTimeoutMs } from './timeouts.js';

export const driverRm: Command = {
  name: 'driver rm',
  group: 'engine',
  summary: 'Take layers of images out of storage drivers and forget these',
  usage: 'NAME...',
  options: [
    {
      ...{ name: 'force', short: 'f', kind: 'flag' },
      doc: 'leave the layers to the driver, which need not answer',
    },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'drivers',
  examples: [{ command: 'teu driver rm slow', meaning: 'if no container stands on it' }],
  run(invocation) {
    const { context, options } = invocation;
    return forEachArgument(invocation, driverRm, async (name) => {
      await context.services.engine.unary(
        DriverRegistryServiceService.removeDriver,
        { name, force: options.flag('force') },
        { timeoutMs: removeTimeoutMs, signal: context.abort },
      );
      return wantsJson(options) ? JSON.stringify({ name }) : name;
    });
  },
};
