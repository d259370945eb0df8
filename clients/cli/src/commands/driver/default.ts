import { DriverRegistryServiceService } from '@teu/proto/engine';
import type { Command } from '../../command.js';
import { formatOption, jsonLine, wantsJson } from '../../output/json.js';
import { changeTimeoutMs } from './timeouts.js';

export const driverDefault: Command = {
  name: 'driver default',
  group: 'engine',
  summary: 'Choose the storage driver of what names none; it stays chosen over restarts',
  usage: 'NAME',
  options: [formatOption],
  arguments: { min: 1, max: 1 },
  completes: 'drivers',
  examples: [{ command: 'teu driver default btrfs', meaning: 'others keep what they have' }],
  async run({ context, options, args }) {
    const [name = ''] = args;
    await context.services.engine.unary(
      DriverRegistryServiceService.setDefaultDriver,
      { name },
      { timeoutMs: changeTimeoutMs, signal: context.abort },
    );
    await context.stdout.write(wantsJson(options) ? jsonLine({ name }) : `${name}\n`);
    return 0;
  },
};
