import { runService } from '@teu/rpc';
import { cgroupConfig } from './config.js';
import { startServer } from './server.js';

await runService({ name: 'cgroup', config: cgroupConfig, start: startServer });
