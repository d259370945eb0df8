import { appendFileSync, chmodSync, chownSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nativeBinary } from '@teu/config';
import { capture } from '../harness/process.js';
import { withMounted } from './mounted.js';
import { newKey, type Subject } from './subject.js';

const WRITERS = 10;
const CHANGED_FILES = 50;

/** Whether an image is the same after containers on it have written, by the digest of its tree. */
export interface UntouchedFigure {
  readonly before: string;
  readonly after: string;
}

/** Has containers change, delete, move and give away files of their image. */
export async function measureUntouched(
  subject: Subject,
  image: string,
  work: string,
): Promise<UntouchedFigure> {
  const before = await digestOf(subject, image, work);
  for (let index = 0; index < WRITERS; index += 1) {
    const mounts = await subject.client.prepare(newKey(subject), image, subject.labels);
    await withMounted(mounts, work, misuse);
  }
  return { before, after: await digestOf(subject, image, work) };
}

/** Everything but the times of directories, which no two file systems agree about. */
async function digestOf(subject: Subject, image: string, work: string): Promise<string> {
  const key = newKey(subject);
  const mounts = await subject.client.view(key, image, subject.labels);
  const digest = await withMounted(mounts, work, (root) =>
    capture(nativeBinary('teu-tree'), ['hash', root]).trim(),
  );
  await subject.client.remove(key);
  return digest;
}

function misuse(root: string): void {
  const bin = join(root, 'usr/bin');
  const files = readdirSync(bin, { withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { name } of files.slice(0, CHANGED_FILES)) appendFileSync(join(bin, name), 'changed');
  for (const [index, { name }] of files.slice(CHANGED_FILES, 2 * CHANGED_FILES).entries()) {
    if (index % 2 === 0) chmodSync(join(bin, name), 0o700);
    else chownSync(join(bin, name), 1000, 1000);
  }
  for (const { name } of files.slice(2 * CHANGED_FILES, 3 * CHANGED_FILES)) {
    renameSync(join(bin, name), join(root, 'tmp', name));
  }
  rmSync(join(root, 'usr/share/doc'), { recursive: true, force: true });
}
