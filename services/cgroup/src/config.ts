import { address, defineConfig, type Config } from '@teu/config';
import { join } from 'node:path';

export const cgroupConfig = defineConfig({
  address: {
    env: 'TEU_CGROUP_ADDRESS',
    flag: '--address',
    parse: address,
    default: ({ runDir }) => `unix:${join(runDir, 'cgroup.sock')}`,
    doc: 'Where to serve',
  },
});

export type CgroupConfig = Config<typeof cgroupConfig>;
