import { createHash } from 'node:crypto';
import { ContainerSpec, type Container } from '@teu/proto/engine';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import type { NewContainer } from './start-road.js';
import { refuse } from './spec-validation.js';

/** What a request that may be repeated comes to. */
export interface RequestOutcome {
  /** The container as the first answer had it. */
  answer: Container;
  /** The container after its program ended, if that has happened. */
  final: Container | undefined;
  /** The container, if it is still there. */
  entry: ContainerEntry | undefined;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Carries out each request once, however often a client sends it. */
export class RepeatableRequests {
  readonly #parts: Pick<EngineParts, 'requests' | 'registry'>;
  readonly #underWay = new Map<string, { digest: string; work: Promise<RequestOutcome> }>();

  constructor(parts: Pick<EngineParts, 'requests' | 'registry'>) {
    this.#parts = parts;
  }

  /**
   * Does the work, or gives what came of it before. A request that failed left nothing and is done anew.
   * @param method tells requests of different methods apart.
   * @throws INVALID_ARGUMENT if the id was used for another request.
   */
  async perform(
    method: string,
    { spec, requestId }: { spec: ContainerSpec; requestId: string },
    work: (container: NewContainer) => Promise<ContainerEntry>,
  ): Promise<RequestOutcome> {
    const carryOut = async (request: NewContainer['request']): Promise<RequestOutcome> => {
      const entry = await work({ spec, request });
      return { answer: entry.container, final: undefined, entry };
    };
    if (requestId === '') return carryOut(undefined);
    if (!UUID.test(requestId)) refuse('request_id', 'is not a UUID');
    const digest = digestOf(method, spec);
    const underWay = this.#underWay.get(requestId);
    if (underWay !== undefined) {
      requireSame(underWay.digest, digest);
      return underWay.work;
    }
    const earlier = this.#earlier(requestId, digest);
    if (earlier !== undefined) return earlier;
    const begun = carryOut({ requestId, digest }).finally(() => this.#underWay.delete(requestId));
    this.#underWay.set(requestId, { digest, work: begun });
    return begun;
  }

  #earlier(requestId: string, digest: string): RequestOutcome | undefined {
    const stored = this.#parts.requests.find(requestId);
    if (stored === undefined) return undefined;
    requireSame(stored.digest, digest);
    const entry = this.#parts.registry.byId(stored.containerId);
    const answer = stored.answer ?? stored.final ?? entry?.container;
    return answer && { answer, final: stored.final, entry };
  }
}

function digestOf(method: string, spec: ContainerSpec): string {
  const bytes = ContainerSpec.encode(spec).finish();
  return createHash('sha256').update(`${method}\0`).update(bytes).digest('hex');
}

function requireSame(one: string, other: string): void {
  if (one !== other) refuse('request_id', 'was used before for a different request');
}
