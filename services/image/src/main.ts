import { runService } from '@teu/rpc';
import { imageConfig } from './config.js';
import { startServer } from './server.js';

await runService({ name: 'image', config: imageConfig, start: startServer });
