import { closeSync, openSync, readSync } from 'node:fs';

const POLL_MS = 50;
const CHUNK_BYTES = 65_536;

/** Someone who reads a file while another writes to it. */
export interface FileFollower {
  /** Reads what is left, and reads no more. */
  end(): void;
}

/**
 * Gives what is appended to a file. Looks every 50 ms: events of inotify(7) are not told across every file
 * system.
 */
export function followFile(path: string, onData: (data: Buffer) => void): FileFollower {
  const descriptor = openSync(path, 'r');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const readOn = (): void => {
    for (;;) {
      const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, null);
      if (length === 0) return;
      onData(Buffer.from(chunk.subarray(0, length)));
    }
  };
  const timer = setInterval(readOn, POLL_MS);
  return {
    end: () => {
      clearInterval(timer);
      readOn();
      closeSync(descriptor);
    },
  };
}
