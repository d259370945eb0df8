import { ExecutorServiceService } from '@teu/proto/executor';
import { implement, type Implementation } from '@teu/rpc';
import type { ExecutorParts } from './domain/executor-parts.js';
import { handleAttachProcess } from './handlers/attach-process.js';
import { handleCreateContainer } from './handlers/create-container.js';
import { handleDeleteProcess } from './handlers/delete-process.js';
import { handleExecProcess } from './handlers/exec-process.js';
import { handleGetFeatures } from './handlers/get-features.js';
import { handleGetProcess } from './handlers/get-process.js';
import { handleLaunchContainer } from './handlers/launch-container.js';
import { handleLaunchPrepared } from './handlers/launch-prepared.js';
import { handleListProcesses } from './handlers/list-processes.js';
import { handlePrepareContainer } from './handlers/prepare-container.js';
import { handleReadLog } from './handlers/read-log.js';
import { handleResizeTerminal } from './handlers/resize-terminal.js';
import { handleSignalProcess } from './handlers/signal-process.js';
import { handleStartContainer } from './handlers/start-container.js';
import { handleWaitProcess } from './handlers/wait-process.js';
import { handleWatchExits } from './handlers/watch-exits.js';

/** teu.executor.v1.ExecutorService on these parts. */
export function implementExecutor(parts: ExecutorParts): Implementation {
  return implement(
    ExecutorServiceService,
    {
      createContainer: (request) => handleCreateContainer(parts, request),
      startContainer: (request) => handleStartContainer(parts, request),
      launchContainer: (request) => handleLaunchContainer(parts, request),
      prepareContainer: (request) => handlePrepareContainer(parts, request),
      launchPrepared: (request) => handleLaunchPrepared(parts, request),
      execProcess: (request) => handleExecProcess(parts, request),
      getProcess: (request) => handleGetProcess(parts, request),
      listProcesses: (request) => handleListProcesses(parts, request),
      signalProcess: (request) => handleSignalProcess(parts, request),
      waitProcess: (request, context) => handleWaitProcess(parts, request, context),
      watchExits: (request, context) => handleWatchExits(parts, request, context),
      attachProcess: (requests, context) => handleAttachProcess(parts, requests, context),
      readLog: (request, context) => handleReadLog(parts, request, context),
      resizeTerminal: (request) => handleResizeTerminal(parts, request),
      deleteProcess: (request) => handleDeleteProcess(parts, request),
      getFeatures: () => handleGetFeatures(),
    },
    { longRunning: ['waitProcess'] },
  );
}
