import { runService } from '@teu/rpc';
import './failpoints.js';
import { storageDriverConfig } from './config.js';
import { startServer } from './server.js';

await runService({ name: 'storage-driver', config: storageDriverConfig, start: startServer });
