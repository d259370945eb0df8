import { join } from 'node:path';
import { address, defineConfig, type Config } from '@teu/config';

export const executorConfig = defineConfig({
  address: {
    env: 'TEU_EXECUTOR_ADDRESS',
    flag: '--address',
    parse: address,
    default: ({ runDir }) => `unix:${join(runDir, 'executor.sock')}`,
    doc: 'Where to serve',
  },
});

export type ExecutorConfig = Config<typeof executorConfig>;
