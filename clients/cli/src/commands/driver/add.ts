import { DriverRegistryServiceService } from '@teu/proto/engine';
import { UsageError } from '../../cli-error.js';
import type { Command } from '../../command.js';
import { isDriverKind } from '../../driver-kinds.js';
import { formatOption, jsonLine, wantsJson } from '../../output/json.js';
import { parseSocketAddress } from '../../options/socket-address.js';
import { isListening, waitUntil } from '../../up/probe.js';
import { changeTimeoutMs } from './timeouts.js';

const listenTimeoutMs = 2000;

export const driverAdd: Command = {
  name: 'driver add',
  group: 'engine',
  summary: 'Make a storage driver known that runs; it stays known over restarts of the engine',
  usage: 'NAME ADDRESS',
  options: [
    {
      ...{ name: 'snapshotter', kind: 'value', value: 'NAME' },
      doc: 'what the server calls it, if it serves several; usual is NAME',
    },
    {
      ...{ name: 'namespace', kind: 'value', value: 'NAME' },
      doc: 'namespace of containerd to keep its snapshots in',
    },
    { name: 'default', kind: 'flag', doc: 'make it the driver of what names none' },
    formatOption,
  ],
  arguments: { min: 2, max: 2 },
  completes: 'nothing',
  examples: [
    { command: 'teu driver add slow unix:/run/slow.sock', meaning: 'a driver, by its socket' },
    {
      command:
        'teu driver add native /run/containerd/containerd.sock --snapshotter native --namespace teu',
      meaning: 'one of containerd’s',
    },
  ],
  async run({ context, options, args }) {
    const [name = '', address = ''] = args;
    // It may run with the engine one day, and what stands on the other one would be looked for in it.
    if (isDriverKind(name)) {
      throw new UsageError(
        `the name "${name}" is kept for the engine’s own driver of that kind`,
        `choose another, for example my-${name}`,
      );
    }
    const socket = parseSocketAddress(address);
    const path = socket.slice('unix:'.length);
    // One that was started on the line before this may need a moment.
    await waitUntil(() => isListening({ path }), listenTimeoutMs, context.abort);
    const request = {
      address: {
        name,
        address: socket,
        snapshotter: options.value('snapshotter') ?? '',
        namespace: options.value('namespace') ?? '',
      },
    };
    const { addDriver, setDefaultDriver } = DriverRegistryServiceService;
    const callOptions = { timeoutMs: changeTimeoutMs, signal: context.abort };
    await context.services.engine.unary(addDriver, request, callOptions);
    if (options.flag('default')) {
      await context.services.engine.unary(setDefaultDriver, { name }, callOptions);
    }
    await context.stdout.write(wantsJson(options) ? jsonLine({ name }) : `${name}\n`);
    return 0;
  },
};
