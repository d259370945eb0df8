import { address, defineConfig, path, string, type Config } from '@teu/config';
import { hostname } from 'node:os';
import { join } from 'node:path';

export const cgroupConfig = defineConfig({
  address: {
    env: 'TEU_CGROUP_ADDRESS',
    flag: '--address',
    parse: address,
    default: ({ runDir }) => `unix:${join(runDir, 'cgroup.sock')}`,
    doc: 'Where to serve',
  },
  node: {
    env: 'TEU_CGROUP_NODE',
    flag: '--node',
    parse: string,
    default: hostname(),
    doc: 'Name of this machine in the subjects of events',
  },
  natsUrl: {
    env: 'TEU_NATS_URL',
    flag: '--nats-url',
    parse: string,
    default: 'nats://127.0.0.1:4222',
    doc: 'Where events are published',
  },
  natsSeedFile: {
    env: 'TEU_NATS_SEED_FILE',
    flag: '--nats-seed-file',
    parse: path,
    default: ({ dataDir }) => join(dataDir, 'nats', 'cgroup.nkey'),
    doc: 'File with the nkey seed of this service',
  },
});

export type CgroupConfig = Config<typeof cgroupConfig>;
