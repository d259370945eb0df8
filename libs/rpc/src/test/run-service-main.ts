import { defineConfig, oneOf } from '@teu/config';
import { runService, startRpcServer } from '../index.js';

const config = defineConfig({
  mode: {
    env: 'TEU_TEST_MODE',
    parse: oneOf('serve', 'stuck', 'fail', 'reject', 'throw'),
    default: 'serve',
    doc: 'How to misbehave',
  },
});

const failure = () => new Error('as told', { cause: new Error('root of it') });

await runService({
  name: 'sample',
  config,
  start: async ({ mode, runDir }, log) => {
    if (mode === 'fail') throw failure();
    if (mode === 'reject') void Promise.reject(failure());
    if (mode === 'throw') {
      setImmediate(() => {
        throw failure();
      });
    }
    const address = `unix:${runDir}/sample.sock`;
    const server = await startRpcServer({
      name: 'sample',
      version: '0',
      address,
      services: [],
      log,
    });
    if (mode !== 'stuck') return server;
    return { address, close: () => new Promise(() => undefined) };
  },
});
