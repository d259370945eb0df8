import { expect, test } from 'vitest';
import { createLogger } from '@teu/log';
import { checkHealth, connect, startRpcServer } from './index.js';
import { mkdtempSync } from 'node:fs';

test('smoke', async () => {
  const dir = mkdtempSync('/tmp/rpc-');
  const address = `unix:${dir}/s.sock`;
  const server = await startRpcServer({
    name: 's',
    version: '0',
    address,
    services: [],
    log: createLogger({ service: 's', level: 'debug' }),
  });
  const channel = connect(address);
  expect(await checkHealth(channel)).toBe('SERVING');
  await expect(checkHealth(channel, 'x')).rejects.toMatchObject({ reason: 'NOT_FOUND' });
  channel.close();
  const t = performance.now();
  await server.close();
  console.log(performance.now() - t);
});
