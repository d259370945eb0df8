import process from 'node:process';
import { loadProcessConfig } from '@teu/config';
import { runService } from '@teu/rpc';
import './failpoints.js';
import { storageDriverConfig } from './config.js';
import { HOST_CHECKS } from './drivers/host-checks.js';
import { probeDrivers } from './probe.js';
import { startServer } from './server.js';

if (process.argv.includes('--probe')) {
  const config = loadProcessConfig(storageDriverConfig);
  const { dataDir, probe = 'all' } = config;
  for await (const result of probeDrivers(dataDir, probe, HOST_CHECKS, config)) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
} else {
  await runService({ name: 'storage-driver', config: storageDriverConfig, start: startServer });
}
