import { ExecSpec, type ExecContainerRequest, type ExecContainerResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import { attach } from '../domain/attachment.js';
import type { Engine } from '../domain/engine.js';
import { collectOutput } from '../domain/exec-output.js';
import { noInput } from '../domain/resumable-input.js';

/** Starts another program in a running container, and on request waits for it. */
export const execContainerHandler =
  (engine: Engine) =>
  async (request: ExecContainerRequest, ctx: CallContext): Promise<ExecContainerResponse> => {
    const entry = engine.registry.resolve(request.container);
    const session = await engine.execSessions.start(entry, request.spec ?? ExecSpec.create());
    const { execId, pid, containerId } = session;
    const nothing = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), truncated: false };
    if (!request.wait) return { execId, pid, exit: undefined, ...nothing };
    const close = engine.readers.open(execId);
    try {
      const target = { containerId, execId, fromOffset: 0 };
      const output = await collectOutput(attach(engine, target, noInput(), ctx.signal));
      return { execId, pid, exit: await session.exit, ...output };
    } finally {
      close();
    }
  };
