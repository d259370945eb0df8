import { makeEvent } from '@teu/events';
import type { DriverAction } from '@teu/proto/event';
import type { EngineParts } from '../engine-parts.js';

/** Records a fact about the list of drivers in the journal and the outbox, in the caller's transaction. */
export function announceDriver(
  { journal, node }: Pick<EngineParts, 'journal' | 'node'>,
  action: DriverAction,
  driver: string,
): void {
  const payload = { $case: 'driver' as const, value: { action, driver } };
  journal.append(makeEvent({ node, source: 'engine', payload }));
}
