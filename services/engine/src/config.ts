import { join } from 'node:path';
import { hostname } from 'node:os';
import {
  address,
  defineConfig,
  eventKeys,
  integer,
  listOf,
  string,
  type CommonConfig,
  type Config,
} from '@teu/config';
import { driverAddress } from '@teu/driver-client';
import { DriverAddress } from '@teu/proto/storage';

const inRunDir =
  (name: string) =>
  ({ runDir }: CommonConfig): string =>
    `unix:${join(runDir, `${name}.sock`)}`;

const serviceAddress = (name: string) => ({
  env: `TEU_ENGINE_${name.toUpperCase()}_ADDRESS`,
  flag: `--${name}-address`,
  parse: address,
  default: inRunDir(name),
  doc: `Where the ${name} service is`,
});

/** The settings of the engine. */
export const engineConfig = defineConfig({
  address: {
    env: 'TEU_ENGINE_ADDRESS',
    flag: '--address',
    parse: address,
    default: inRunDir('engine'),
    doc: 'Where to serve',
  },
  imageAddress: serviceAddress('image'),
  cgroupAddress: serviceAddress('cgroup'),
  executorAddress: serviceAddress('executor'),
  drivers: {
    env: 'TEU_ENGINE_DRIVERS',
    flag: '--drivers',
    parse: listOf(driverAddress),
    default: (common) => [
      DriverAddress.create({ name: 'overlay2', address: inRunDir('overlay2')(common) }),
    ],
    doc: 'Storage drivers, <name>=<address> divided by commas; the first is the default unless one was chosen',
  },
  pidsLimit: {
    env: 'TEU_ENGINE_PIDS_LIMIT',
    flag: '--pids-limit',
    parse: integer({ min: -1, max: 4_194_304 }),
    default: 4096,
    doc: 'Most tasks of a container that asks for no limit; -1 for none',
  },
  warmStarts: {
    env: 'TEU_ENGINE_WARM_STARTS',
    flag: '--warm-starts',
    parse: integer({ min: 0, max: 64 }),
    default: 2,
    doc: 'Starts that are made in advance for each image that was run in the last minute; 0 for none',
  },
  eventsKept: {
    env: 'TEU_ENGINE_EVENTS_KEPT',
    flag: '--events-kept',
    parse: integer({ min: 100 }),
    default: 100_000,
    doc: 'Number of events that can be had again',
  },
  node: {
    env: 'TEU_ENGINE_NODE',
    flag: '--node',
    parse: string,
    default: hostname(),
    doc: 'Name of this machine in the subjects of events',
  },
  ...eventKeys('engine'),
});

/** What loading the settings gives. */
export type EngineConfig = Config<typeof engineConfig>;
