import type { ExportContainerRequest, ExportContainerResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';
import { exportContainer } from '../domain/trees/container-tree.js';

/** Writes the root file system of a container to a file. */
export const exportContainerHandler = (engine: Engine) =>
  async function* (
    { container, path }: ExportContainerRequest,
    { signal }: CallContext,
  ): AsyncGenerator<ExportContainerResponse> {
    yield* exportContainer(engine, engine.registry.resolve(container), path, signal);
  };
