import type { DiffContainerRequest, DiffContainerResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';
import { diffContainer } from '../domain/trees/container-tree.js';

/** Tells what a container has changed in its root file system. */
export const diffContainerHandler = (engine: Engine) =>
  async function* (
    { container }: DiffContainerRequest,
    { signal }: CallContext,
  ): AsyncGenerator<DiffContainerResponse> {
    const entry = engine.registry.resolve(container);
    for await (const changes of diffContainer(engine, entry, signal)) yield { changes };
  };
