import type { EditBaseRequest, EditBaseResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import { editBase } from '../domain/bases/edit-base.js';
import type { Engine } from '../domain/engine.js';
import { remainingParts, takeFirst } from '../domain/first-part.js';

/** Changes a base in place, with the client's consent. */
export const editBaseHandler = (engine: Engine) =>
  async function* (
    requests: AsyncIterable<EditBaseRequest>,
    { signal, peer }: CallContext,
  ): AsyncGenerator<EditBaseResponse> {
    const parts = requests[Symbol.asyncIterator]();
    const { value: header } = await takeFirst(parts, 'header');
    const consents = async (): Promise<boolean> => {
      const answer = await remainingParts(parts, 'header').next();
      return answer.done !== true && answer.value.value;
    };
    const release = engine.bases.reserve('an edit of a base');
    try {
      for await (const part of editBase(engine, header, { peer, consents, signal })) yield { part };
    } finally {
      release();
    }
  };
