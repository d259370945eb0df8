import { ContainerTreeServiceService } from '@teu/proto/engine';
import { implement, type Implementation } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';
import { commitContainerHandler } from './commit-container.js';
import { diffContainerHandler } from './diff-container.js';
import { downloadContainerHandler } from './download-container.js';
import { exportContainerHandler } from './export-container.js';

/** Looks into the root file systems of containers. */
export function containerTreeService(engine: Engine): Implementation {
  return implement(
    ContainerTreeServiceService,
    {
      diffContainer: diffContainerHandler(engine),
      exportContainer: exportContainerHandler(engine),
      downloadContainer: downloadContainerHandler(engine),
      commitContainer: commitContainerHandler(engine),
    },
    { longRunning: ['commitContainer'] },
  );
}
