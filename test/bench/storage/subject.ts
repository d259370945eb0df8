import type { SnapshotsClient } from '@teu/snapshot-conformance';
import type { BenchFilesystem } from '../harness/filesystem.js';

/** A snapshotter to be measured, on a file system of its own. */
export interface Subject {
  /** Name in the tables. */
  readonly name: string;
  readonly client: SnapshotsClient;
  /** Labels that snapshots need to be kept. */
  readonly labels: Readonly<Record<string, string>>;
  /** The file system that it has for itself. */
  readonly filesystem: BenchFilesystem;
  /** A call that does nothing, to tell what of a call's time is the way there and back. */
  ping(): Promise<unknown>;
  /** Ends all that opening it began. */
  close(): Promise<void>;
}

let count = 0;

/** A key that was not used before. */
export const newKey = (subject: Subject): string => `bench/${subject.name}/${String((count += 1))}`;

/** Makes a committed layer; `write` gets the mounts of the snapshot that becomes it. */
export async function makeLayer(
  subject: Subject,
  write: (mounts: Awaited<ReturnType<SnapshotsClient['prepare']>>) => Promise<void>,
): Promise<string> {
  const key = newKey(subject);
  await write(await subject.client.prepare(key, '', subject.labels));
  await subject.client.commit(`${key} done`, key, subject.labels);
  return `${key} done`;
}
