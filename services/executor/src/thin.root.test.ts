import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newContainerId } from '@teu/ids';
import { createLogger } from '@teu/log';
import { ExecutorServiceService as E } from '@teu/proto/executor';
import { connect } from '@teu/rpc';
import { expect, it } from 'vitest';
import { startServer } from './server.js';
import { makeBusyboxRoot } from './testing/busybox-root.js';
import { exampleSpec } from './testing/example-spec.js';

it('thin', async () => {
  const base = mkdtempSync(join(tmpdir(), 'teu-x-'));
  mkdirSync(join(base, 'root'));
  const root = makeBusyboxRoot(join(base, 'root'));
  const server = await startServer(
    { dataDir: join(base, 'd'), runDir: join(base, 'r'), logLevel: 'debug', address: `unix:${base}/r/executor.sock` },
    createLogger({ service: 'executor', level: 'debug' }),
  );
  const channel = connect(server.address);
  const id = newContainerId();
  const res = await channel.unary(E.launchContainer, { containerId: id, spec: exampleSpec(root, ['sh', '-c', 'echo hi; cat /proc/1/status | grep -i cap; exit 7']), logLimits: undefined });
  console.log(JSON.stringify(res, null, 1));
  console.log(await channel.unary(E.waitProcess, { containerId: id, execId: '' }));
  for await (const r of channel.serverStream(E.readLog, { containerId: id, execId: '', fromOffset: 0, follow: false, tailLines: undefined, since: undefined })) console.log(r.records.map(x => x.data.toString()));
  await channel.unary(E.deleteProcess, { containerId: id, execId: '', force: false });
  channel.close();
  await server.close();
  rmSync(base, { recursive: true });
  expect(1).toBe(1);
});
