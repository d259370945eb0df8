import process from 'node:process';
import { loadProcessConfig } from '@teu/config';
import { runService } from '@teu/rpc';
import './failpoints.js';
import { storageDriverConfig } from './config.js';
import { probeDrivers } from './probe.js';
import { startServer } from './server.js';

if (process.argv.includes('--probe')) {
  const { dataDir, probe = 'all' } = loadProcessConfig(storageDriverConfig);
  for await (const result of probeDrivers(dataDir, probe)) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
} else {
  await runService({ name: 'storage-driver', config: storageDriverConfig, start: startServer });
}
