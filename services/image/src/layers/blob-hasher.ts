import { spawn } from 'node:child_process';
import { collect, ended, withoutAnswer } from './worker-process.js';

/** What a file has. */
export interface HashedFile {
  digest: string;
  bytes: number;
}

/** Reads files and tells their digests, without holding this process up. */
export interface BlobHasher {
  /**
   * @param idle - Everybody else's work on processor and disk goes first.
   * @returns undefined if there is no such file; an empty digest if the disk cannot read it
   */
  hash(path: string, idle: boolean, signal: AbortSignal): Promise<HashedFile | undefined>;
}

/** @param binary - teu-tree (native/src/tree). */
export function createBlobHasher(binary: string): BlobHasher {
  return {
    hash: async (path, idle, signal) => {
      signal.throwIfAborted();
      const args = ['digest', path, ...(idle ? ['--idle'] : [])];
      const child = spawn(binary, args, { env: {}, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
      const kill = (): void => void child.kill('SIGKILL');
      signal.addEventListener('abort', kill, { once: true });
      try {
        const [output, complaint, exit] = await Promise.all([
          collect(child.stdout),
          collect(child.stderr),
          ended(child),
        ]);
        signal.throwIfAborted();
        if (exit.code === 0) return JSON.parse(output) as HashedFile;
        if (complaint.includes('"errnoName":"ENOENT"')) return undefined;
        // A sector that cannot be read any more is damage, and no reason to stop.
        if (complaint.includes('"errnoName":"EIO"')) return { digest: '', bytes: 0 };
        throw withoutAnswer('teu-tree', exit, complaint);
      } finally {
        signal.removeEventListener('abort', kill);
      }
    },
  };
}
