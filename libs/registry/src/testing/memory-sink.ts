import type { BlobSink } from '../blob-download.js';
import { sha256 } from './stub-registry.js';

/** Keeps a blob in memory. */
export class MemorySink implements BlobSink {
  bytes = Buffer.alloc(0);
  restarts = 0;

  get size(): number {
    return this.bytes.length;
  }

  write(chunk: Uint8Array): Promise<void> {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    return Promise.resolve();
  }

  restart(): Promise<void> {
    this.bytes = Buffer.alloc(0);
    this.restarts += 1;
    return Promise.resolve();
  }

  digest(): string {
    return sha256(this.bytes);
  }
}
