import { runService } from '@teu/rpc';
import { engineConfig } from './config.js';
import { startServer } from './server.js';

await runService({ name: 'engine', config: engineConfig, start: startServer });
