import { clock } from '@teu/ids';
import type { Logger } from '@teu/log';
import { startRpcServer } from '@teu/rpc';
import type { ExecutorConfig } from './config.js';
import type { ExecutorParts } from './domain/executor-parts.js';
import { ExitBoard } from './domain/exit-board.js';
import { ProcessRegistry } from './domain/process-registry.js';
import { recover } from './domain/recover.js';
import { implementExecutor } from './implement-executor.js';
import { Layout } from './store/layout.js';
import { VERSION } from './version.js';
import { prepareFirstLaunch, warmUp } from './warm-up.js';
import './failpoints.js';

const CLOSE_GRACE_MS = 1_000;

/** An executor that serves. */
export interface ExecutorServer {
  readonly address: string;
  /** Stops serving. Containers run on; the next executor on the same directories takes them up. */
  close(): Promise<void>;
}

/** Starts an executor: takes up the containers that run, then serves. */
export async function startServer(config: ExecutorConfig, log: Logger): Promise<ExecutorServer> {
  let closing = false;
  const parts: ExecutorParts = {
    layout: new Layout(config.dataDir, config.runDir),
    registry: new ProcessRegistry(),
    exits: new ExitBoard(),
    clock,
    log,
    isClosing: () => closing,
  };
  await recover(parts);
  log.info({ processes: parts.registry.processes().length }, 'took up processes');
  prepareFirstLaunch();
  const server = await startRpcServer({
    name: 'executor',
    version: VERSION,
    address: config.address,
    services: [implementExecutor(parts)],
    log,
  });
  void warmUp(parts.isClosing);
  return {
    address: server.address,
    close: async () => {
      closing = true;
      // Watches have no end of their own; attached clients get a moment.
      parts.exits.close();
      await server.close(CLOSE_GRACE_MS);
      for (const process of parts.registry.processes()) process.connection?.close();
    },
  };
}
