import { EngineServiceService } from '@teu/proto/engine';
import { implement, type Implementation } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';
import { attachContainerHandler } from './attach-container.js';
import { createContainerHandler } from './create-container.js';
import { execAttachedHandler } from './exec-attached.js';
import { execContainerHandler } from './exec-container.js';
import { getContainerHandler } from './get-container.js';
import { getVersionHandler } from './get-version.js';
import { killContainerHandler } from './kill-container.js';
import { listContainersHandler } from './list-containers.js';
import { pauseContainerHandler } from './pause-container.js';
import { readLogsHandler } from './read-logs.js';
import { removeContainerHandler } from './remove-container.js';
import { resizeTerminalHandler } from './resize-terminal.js';
import { runAttachedHandler } from './run-attached.js';
import { runContainerHandler } from './run-container.js';
import { settleUsageHandler } from './settle-usage.js';
import { startContainerHandler } from './start-container.js';
import { stopContainerHandler } from './stop-container.js';
import { unpauseContainerHandler } from './unpause-container.js';
import { updateContainerHandler } from './update-container.js';
import { waitContainerHandler } from './wait-container.js';
import { watchEventsHandler } from './watch-events.js';

/** The service that clients talk to. */
export function engineService(engine: Engine): Implementation {
  return implement(
    EngineServiceService,
    {
      createContainer: createContainerHandler(engine),
      startContainer: startContainerHandler(engine),
      runContainer: runContainerHandler(engine),
      runAttached: runAttachedHandler(engine),
      stopContainer: stopContainerHandler(engine),
      killContainer: killContainerHandler(engine),
      updateContainer: updateContainerHandler(engine),
      pauseContainer: pauseContainerHandler(engine),
      unpauseContainer: unpauseContainerHandler(engine),
      removeContainer: removeContainerHandler(engine),
      waitContainer: waitContainerHandler(engine),
      getContainer: getContainerHandler(engine),
      listContainers: listContainersHandler(engine),
      readLogs: readLogsHandler(engine),
      attachContainer: attachContainerHandler(engine),
      execContainer: execContainerHandler(engine),
      execAttached: execAttachedHandler(engine),
      resizeTerminal: resizeTerminalHandler(engine),
      watchEvents: watchEventsHandler(engine),
      settleUsage: settleUsageHandler(engine),
      getVersion: getVersionHandler(engine),
    },
    // How long these take is up to the container.
    { longRunning: ['runContainer', 'waitContainer', 'stopContainer', 'execContainer'] },
  );
}
