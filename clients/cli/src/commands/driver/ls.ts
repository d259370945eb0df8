import { DriverState, RegisteredDriver } from '@teu/proto/engine';
import { capabilityToJSON, type Capability } from '@teu/proto/storage';
import type { Command } from '../../command.js';
import { formatOption, jsonDocument, wantsJson } from '../../output/json.js';
import { formatTable } from '../../output/table.js';
import { visible } from '../../output/visible.js';
import { listDrivers, nameOfDriver } from './list-drivers.js';

const header = [
  ...['NAME', 'KIND', 'STATE', 'DEFAULT', 'FILE SYSTEM', 'IMPLEMENTATION'],
  ...['CAPABILITIES', 'CONTAINERS', 'ADDRESS'],
];

/** "shared-disk" for CAPABILITY_SHARED_DISK. */
function capabilityName(capability: Capability): string {
  return capabilityToJSON(capability)
    .replace(/^CAPABILITY_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

/** A snapshotter that is not ours answers, but cannot describe itself. */
function kindOf({ driver, state }: RegisteredDriver): string {
  if (driver !== undefined) return driver.name;
  return state === DriverState.DRIVER_STATE_AVAILABLE ? 'foreign' : '-';
}

function row(registered: RegisteredDriver): string[] {
  const { driver, address, state, isDefault, containerCount } = registered;
  return [
    nameOfDriver(registered),
    kindOf(registered),
    state === DriverState.DRIVER_STATE_AVAILABLE ? 'available' : 'unavailable',
    isDefault ? 'yes' : 'no',
    driver?.backingFilesystem || '-',
    driver?.implementation || '-',
    driver?.capabilities.map(capabilityName).join(',') || '-',
    String(containerCount),
    address?.address ?? '',
  ];
}

/** Why those that are unavailable are so, a line each. */
function reasons(drivers: readonly RegisteredDriver[]): string {
  return drivers
    .filter(({ stateDetail }) => stateDetail !== '')
    .map((driver) => visible(`${nameOfDriver(driver)}: ${driver.stateDetail}`))
    .map((line, index) => `${index === 0 ? '\n' : ''}${line}\n`)
    .join('');
}

export const driverLs: Command = {
  name: 'driver ls',
  group: 'engine',
  summary: 'List storage drivers, and ask each how it is',
  usage: '',
  options: [{ name: 'quiet', short: 'q', kind: 'flag', doc: 'names only' }, formatOption],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  examples: [{ command: 'teu driver ls --format json | jq -r .[].state', meaning: 'for programs' }],
  async run({ context, options }) {
    const drivers = await listDrivers(context);
    if (wantsJson(options)) {
      await context.stdout.write(
        jsonDocument(drivers.map((item) => RegisteredDriver.toJSON(item))),
      );
    } else if (options.flag('quiet')) {
      await context.stdout.write(drivers.map((driver) => `${nameOfDriver(driver)}\n`).join(''));
    } else {
      await context.stdout.write(formatTable(header, drivers.map(row)) + reasons(drivers));
    }
    return 0;
  },
};
