import type { Command } from '../command.js';
import { clientVersion, directoriesOf } from '../config.js';
import { formatOption, jsonDocument, wantsJson } from '../output/json.js';
import { formatTable } from '../output/table.js';
import { isListening, serviceHealth } from '../up/probe.js';
import { isAlive } from '../up/process-identity.js';
import { readUpRecord, type ServiceRecord, type UpRecord } from '../up/up-record.js';

const healthTimeoutMs = 2000;
const header = ['SERVICE', 'PID', 'HEALTH', 'VERSION', 'RESTARTS', 'ADDRESS'];

interface ServiceStatus {
  readonly name: string;
  /** 0 if it does not run. */
  readonly pid: number;
  readonly health: string;
  readonly version: string;
  readonly restarts: number;
  readonly address: string;
  readonly log: string;
  /** Whether it is one of the engine's own storage drivers. */
  readonly storageDriver: boolean;
}

async function healthOf(service: ServiceRecord): Promise<string> {
  if (service.process === undefined || !isAlive(service.process)) return 'NOT_RUNNING';
  if (service.address.startsWith('unix:')) {
    return serviceHealth(service.address.slice('unix:'.length), healthTimeoutMs);
  }
  const port = Number(new URL(service.address).port);
  return (await isListening({ port })) ? 'SERVING' : 'unreachable';
}

async function statusOf(service: ServiceRecord, record: UpRecord): Promise<ServiceStatus> {
  const { name, version, restarts, address, log, process } = service;
  const running = process !== undefined && isAlive(process);
  const health = await healthOf(service);
  return {
    ...{ name, pid: running ? process.pid : 0, health, version, restarts, address, log },
    storageDriver: record.storageDrivers.includes(name),
  };
}

async function residentStatus(record: UpRecord): Promise<ServiceStatus> {
  const path = `${record.runDir}/cli.sock`;
  const alive = isAlive(record.resident);
  return {
    name: 'cli',
    pid: alive ? record.resident.pid : 0,
    health: !alive ? 'NOT_RUNNING' : (await isListening({ path })) ? 'SERVING' : 'unreachable',
    version: clientVersion,
    restarts: 0,
    address: `unix:${path}`,
    log: `${record.dataDir}/log/up.log`,
    storageDriver: false,
  };
}

export const status: Command = {
  name: 'status',
  group: 'engine',
  summary: 'Show the services: process, health, version, address',
  usage: '',
  options: [formatOption],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  examples: [{ command: 'teu status --format json', meaning: 'for programs' }],
  async run({ context, options }) {
    const { runDir } = directoriesOf(context.env);
    const record = readUpRecord(runDir);
    const services =
      record === undefined
        ? []
        : await Promise.all([
            residentStatus(record),
            ...record.services.map((service) => statusOf(service, record)),
          ]);
    if (wantsJson(options)) {
      await context.stdout.write(jsonDocument(services));
    } else if (record === undefined) {
      await context.stdout.write('the engine is not up; start it with: teu up --detach\n');
    } else {
      const rows = services.map((service) => [
        service.name,
        service.pid === 0 ? '-' : String(service.pid),
        service.health,
        service.version,
        String(service.restarts),
        service.address,
      ]);
      await context.stdout.write(formatTable(header, rows));
    }
    return services.length > 0 && services.every(({ health }) => health === 'SERVING') ? 0 : 1;
  },
};
