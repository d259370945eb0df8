import { createLogger } from '@teu/log';
import { connect } from '@teu/rpc';
import { startServer } from '../server.js';
import { ExecutorClient } from './executor-client.js';
import { makeTestDirectory, type TestDirectory } from './test-directory.js';

/** An executor in this process, with a client. */
export interface TestExecutor {
  client: ExecutorClient;
  directory: TestDirectory;
  /** Ends all containers, then the executor, and removes everything. */
  stop(): Promise<void>;
}

export async function startTestExecutor(): Promise<TestExecutor> {
  const directory = makeTestDirectory();
  const { dataDir, runDir, address } = directory;
  const log = createLogger({ service: 'executor', level: 'error' });
  const server = await startServer({ dataDir, runDir, address, logLevel: 'error' }, log);
  const channel = connect(address);
  const client = new ExecutorClient(channel, directory.root);
  return {
    client,
    directory,
    stop: async () => {
      await client.removeAll();
      channel.close();
      await server.close();
      directory.remove();
    },
  };
}
