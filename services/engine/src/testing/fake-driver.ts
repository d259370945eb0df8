import { teuError } from '@teu/errors';
import { SnapshotsService, type Mount } from '@teu/proto/snapshots';
import { implement, type Implementation } from '@teu/rpc';
import { unimplemented } from './unimplemented.js';

/** A storage driver in memory. */
export class FakeDriver {
  /** Names of committed snapshots. */
  readonly committed = new Set<string>();
  /** Active snapshots: key to parent. */
  readonly active = new Map<string, string>();
  /** Number of Prepare calls. */
  prepares = 0;

  get service(): Implementation {
    return implement(SnapshotsService, {
      ...unimplemented(SnapshotsService),
      prepare: async ({ key, parent }: { key: string; parent: string }) => {
        this.prepares += 1;
        if (!this.committed.has(parent)) {
          throw teuError('SNAPSHOT_NOT_FOUND', `no snapshot ${parent}`);
        }
        if (this.active.has(key)) throw teuError('SNAPSHOT_EXISTS', `there is a snapshot ${key}`);
        this.active.set(key, parent);
        return { mounts: mountsOf(key) };
      },
      mounts: async ({ key }: { key: string }) => {
        this.#require(key);
        return { mounts: mountsOf(key) };
      },
      remove: async ({ key }: { key: string }) => {
        this.#require(key);
        this.active.delete(key);
        return {};
      },
    });
  }

  #require(key: string): void {
    if (!this.active.has(key)) throw teuError('SNAPSHOT_NOT_FOUND', `no snapshot ${key}`);
  }
}

function mountsOf(key: string): Mount[] {
  return [{ type: 'bind', source: `/fake/${key}`, target: '', options: ['rbind'] }];
}
