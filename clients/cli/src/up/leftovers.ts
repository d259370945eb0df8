import { isAlive } from './process-identity.js';
import { stopProcess } from './stop-process.js';
import type { UpRecord } from './up-record.js';

const stopGraceMs = 8000;

/** Names of the recorded services that still run. */
export function runningServices(record: UpRecord | undefined): string[] {
  return (record?.services ?? [])
    .filter((service) => service.process !== undefined && isAlive(service.process))
    .map((service) => service.name);
}

/**
 * Stops services that a resident process left behind when it was killed: the last one first, NATS at
 * the end. Containers don't notice.
 */
export async function stopLeftovers(record: UpRecord | undefined): Promise<void> {
  const processes = (record?.services ?? []).flatMap(({ name, process }) =>
    process === undefined ? [] : [{ name, process }],
  );
  const services = processes.filter(({ name }) => name !== 'nats').reverse();
  const [first, ...others] = services;
  if (first !== undefined) await stopProcess(first.process, stopGraceMs);
  await Promise.all(others.map(({ process }) => stopProcess(process, stopGraceMs)));
  const nats = processes.find(({ name }) => name === 'nats');
  if (nats !== undefined) await stopProcess(nats.process, stopGraceMs);
}
