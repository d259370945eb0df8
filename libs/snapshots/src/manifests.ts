import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { failpoint } from '@teu/failpoint';
import { measureTree } from './measure-tree.js';
import type { DiskUsage } from './driver.js';
import { formatHeader, parseHeader, type ManifestHeader } from './manifest-header.js';
import type { SnapshotRecord } from './record.js';
import { runTree } from './tree-program.js';

const DIRECTORY = 'manifests';
const UNFINISHED = '.tmp';
/** More than the last line of a manifest has. */
const TAIL_BYTES = 256;
/** What lines of a header begin with: "#". */
const MARK = 0x23;
const END = /(?:^|\n)end (sha256:[0-9a-f]{64}) (\d+)\n$/;

/** A manifest that is whole. */
export interface FoundManifest {
  readonly header: ManifestHeader;
  /** Digest of everything in it. */
  readonly digest: string;
}

/**
 * The manifests of committed snapshots, one file each, named by the id in base 36 as layers are. A file
 * with such a name is whole and durable; what it has is described in native/src/tree/entry_line.h.
 */
export class Manifests {
  readonly directory: string;

  /** @param root - Directory of the driver. */
  constructor(root: string) {
    this.directory = join(root, DIRECTORY);
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    chmodSync(this.directory, 0o700);
    for (const name of readdirSync(this.directory)) {
      if (name.endsWith(UNFINISHED)) rmSync(join(this.directory, name), { force: true });
    }
  }

  path(id: number): string {
    return join(this.directory, id.toString(36));
  }

  /** Tells the ids that have a manifest, and the names of files that are none. */
  inventory(): { ids: Set<number>; foreign: string[] } {
    const ids = new Set<number>();
    const foreign: string[] = [];
    for (const name of readdirSync(this.directory)) {
      const id = Number.parseInt(name, 36);
      if (Number.isSafeInteger(id) && id > 0 && id.toString(36) === name) ids.add(id);
      else if (!name.endsWith(UNFINISHED)) foreign.push(join(DIRECTORY, name));
    }
    return { ids, foreign };
  }

  /**
   * Writes the manifest of a snapshot, durably, at low priority.
   *
   * @param tree - Root of its tree.
   * @returns The digest of the manifest.
   * @throws TreeProgramError, errors of the disk; nothing is left then
   */
  async write(record: SnapshotRecord, tree: string, signal: AbortSignal): Promise<string> {
    const path = this.path(record.id);
    const file = await open(`${path}${UNFINISHED}`, 'w+', 0o600);
    try {
      const input = formatHeader(record);
      const args = ['manifest', tree, '--header', '--idle'];
      await runTree(args, { signal, input, outputFd: file.fd });
      await file.sync();
      const digest = await readDigest(file);
      failpoint('storage.seal.after-write');
      await rename(`${path}${UNFINISHED}`, path);
      await syncDirectory(this.directory);
      failpoint('storage.seal.after-rename');
      return digest;
    } catch (error) {
      rmSync(`${path}${UNFINISHED}`, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }

  /** Reads what a manifest says about its snapshot; undefined if it is not whole or not there. */
  async read(id: number): Promise<FoundManifest | undefined> {
    const bytes = await this.#bytes(id);
    const tail = bytes.subarray(-TAIL_BYTES).toString('latin1');
    const [end = '', stated] = END.exec(tail) ?? [];
    const body = bytes.subarray(0, bytes.length - end.trimStart().length);
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    if (stated !== digest) return undefined;
    const header = parseHeader(headerLines(body));
    return header?.id === id ? { header, digest } : undefined;
  }

  async #bytes(id: number): Promise<Buffer> {
    try {
      return await readFile(this.path(id));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'EIO') return Buffer.alloc(0);
      throw error;
    }
  }

  /** Removes a manifest; none is no error. */
  remove(id: number): void {
    rmSync(this.path(id), { force: true });
  }

  /** Measures all of them and their directory. */
  usage(signal?: AbortSignal): Promise<DiskUsage> {
    return measureTree(this.directory, { signal });
  }
}

/** Not on this thread: Prepare waits for it. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The lines between the first and the first entry. */
function headerLines(body: Buffer): string[] {
  const lines: string[] = [];
  let start = body.indexOf('\n') + 1;
  while (start > 0 && body[start] === MARK) {
    const end = body.indexOf('\n', start);
    lines.push(body.toString('latin1', start, end));
    start = end + 1;
  }
  return lines;
}

async function readDigest(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.min(TAIL_BYTES, size));
  await file.read(buffer, 0, buffer.length, size - buffer.length);
  const digest = END.exec(buffer.toString('latin1'))?.[1];
  if (digest === undefined) throw new Error('teu-tree wrote a manifest without an end');
  return digest;
}
