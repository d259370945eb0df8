import { runService } from '@teu/rpc';
import { executorConfig } from './config.js';
import { startServer } from './server.js';

await runService({ name: 'executor', config: executorConfig, start: startServer });
