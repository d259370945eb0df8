import type { DownloadContainerRequest, DownloadContainerResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';
import { downloadContainer } from '../domain/trees/container-tree.js';

/** Sends the root file system of a container. */
export const downloadContainerHandler = (engine: Engine) =>
  async function* (
    { container }: DownloadContainerRequest,
    { signal }: CallContext,
  ): AsyncGenerator<DownloadContainerResponse> {
    yield* downloadContainer(engine, engine.registry.resolve(container), signal);
  };
