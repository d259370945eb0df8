import { CAPABILITY_NUMBERS, DEFAULT_CAPABILITIES } from '@teu/container-defaults';
import { clock } from '@teu/ids';
import type { Logger } from '@teu/log';
import { kernelFeatures } from '@teu/native';
import { startRpcServer } from '@teu/rpc';
import type { ExecutorConfig } from './config.js';
import type { ExecutorParts } from './domain/executor-parts.js';
import { ExitBoard } from './domain/exit-board.js';
import { filterMaker } from './domain/plan/seccomp.js';
import { ProcessRegistry } from './domain/process-registry.js';
import { recover } from './domain/recover.js';
import { implementExecutor } from './implement-executor.js';
import { Layout } from './store/layout.js';
import { VERSION } from './version.js';
import './failpoints.js';

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
  warmUp();
  const server = await startRpcServer({
    name: 'executor',
    version: VERSION,
    address: config.address,
    services: [implementExecutor(parts)],
    log,
  });
  return {
    address: server.address,
    close: async () => {
      closing = true;
      await server.close();
      for (const process of parts.registry.processes()) process.connection?.close();
    },
  };
}

/** What the first launch would otherwise wait for: the addon, its probes, the usual filter. */
function warmUp(): void {
  kernelFeatures();
  const bounding = DEFAULT_CAPABILITIES.map((name) => 1n << BigInt(CAPABILITY_NUMBERS[name]));
  filterMaker('default')(bounding.reduce((mask, bit) => mask | bit, 0n));
}
