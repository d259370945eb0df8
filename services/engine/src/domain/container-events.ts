import { makeEvent } from '@teu/events';
import type { Container } from '@teu/proto/engine';
import { ContainerEvent, type ContainerAction } from '@teu/proto/event';
import type { OomKill } from '@teu/proto/type';
import type { EngineParts } from './engine-parts.js';

/** A fact about a container, apart from which container it is. */
export interface ContainerFact {
  action: ContainerAction;
  exitCode?: number;
  signal?: number;
  execId?: string;
  error?: string;
  /** Upgrade of a base that caused it. */
  upgradeId?: string;
  /** Image that the container stands on now or will. */
  imageId?: string;
  /** What the kernel killed for want of memory. */
  oomKill?: OomKill | undefined;
  /** Request that caused it. */
  requestId?: string | undefined;
}

/** Records facts in the journal and the outbox, in the caller's transaction. Gives the number of the last one. */
export function announce(
  parts: Pick<EngineParts, 'journal' | 'node'>,
  container: Container,
  facts: readonly ContainerFact[],
): number {
  let sequence = container.lastSequence;
  for (const { requestId, ...fact } of facts) {
    const value = ContainerEvent.create({
      ...fact,
      containerId: container.id,
      name: container.name,
      image: container.spec?.image ?? '',
      labels: container.spec?.labels ?? {},
    });
    const event = makeEvent({
      node: parts.node,
      source: 'engine',
      payload: { $case: 'container', value },
      ...(requestId === undefined ? {} : { requestId }),
    });
    sequence = parts.journal.append(event);
  }
  return sequence;
}
