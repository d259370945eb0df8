import { teuError } from '@teu/errors';
import { clock } from '@teu/ids';
import { Empty } from '@teu/proto/google';
import {
  Info,
  Kind,
  SnapshotsService,
  type Mount,
  type PrepareSnapshotRequest,
} from '@teu/proto/snapshots';
import { implement, type Handlers, type Implementation } from '@teu/rpc';
import { runProgram } from '@teu/testing';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a driver can do wrong. */
export type Fault =
  | 'children write to their parent'
  | 'views can be written to'
  | 'hard links become copies'
  | 'attributes are lost'
  | 'a key can be taken twice'
  | 'a parent can be removed'
  | 'changes are lost at commit';

interface Snapshot {
  readonly info: Info;
  readonly directory: string;
}

/** A driver that copies directories and keeps its records in memory, with faults as wanted. */
export class CarelessDriver {
  readonly #root: string;
  readonly #faults: ReadonlySet<Fault>;
  readonly #snapshots = new Map<string, Snapshot>();
  #last = 0;

  constructor(root: string, faults: readonly Fault[]) {
    this.#root = root;
    this.#faults = new Set(faults);
  }

  implement(): Implementation {
    const handlers: Handlers<typeof SnapshotsService> = {
      prepare: (request) => this.#create(request, Kind.ACTIVE),
      view: (request) => this.#create(request, Kind.VIEW),
      mounts: async ({ key }) => ({ mounts: mountsOf(this.#active(key)) }),
      commit: async (request) => {
        await this.#commit(request);
        return Empty.create();
      },
      remove: async ({ key }) => {
        this.#find(key);
        const isParent = [...this.#snapshots.values()].some(({ info }) => info.parent === key);
        if (isParent && !this.#faults.has('a parent can be removed')) {
          throw teuError('SNAPSHOT_IN_USE', 'others stand on it');
        }
        this.#snapshots.delete(key);
        return Empty.create();
      },
      stat: async ({ key }) => ({ info: this.#find(key).info }),
      update: async () => unimplemented(),
      list: async function* (this: CarelessDriver) {
        yield { info: [...this.#snapshots.values()].map(({ info }) => info) };
      }.bind(this),
      usage: async () => unimplemented(),
      cleanup: async () => unimplemented(),
    };
    return implement(SnapshotsService, handlers);
  }

  async #create(request: PrepareSnapshotRequest, kind: Kind): Promise<{ mounts: Mount[] }> {
    const { key, parent } = request;
    if (this.#snapshots.has(key) && !this.#faults.has('a key can be taken twice')) {
      throw teuError('SNAPSHOT_EXISTS', `"${key}" exists already`);
    }
    const below = parent === '' ? undefined : this.#find(parent);
    if (below !== undefined && below.info.kind !== Kind.COMMITTED) {
      throw teuError('SNAPSHOT_NOT_COMMITTED', `"${parent}" is not committed`);
    }
    const info = Info.create({ ...request, name: key, kind, createdAt: clock.now() });
    const directory = this.#directoryOn(below);
    const snapshot = { info: { ...info, updatedAt: info.createdAt }, directory };
    this.#snapshots.set(key, snapshot);
    if (below !== undefined && directory !== below.directory) {
      await this.#copy(below.directory, directory);
    }
    const isWritable = kind === Kind.ACTIVE || this.#faults.has('views can be written to');
    return { mounts: mountsOf(snapshot, isWritable) };
  }

  #directoryOn(below: Snapshot | undefined): string {
    if (below !== undefined && this.#faults.has('children write to their parent')) {
      return below.directory;
    }
    this.#last += 1;
    const directory = join(this.#root, String(this.#last));
    mkdirSync(directory, { mode: 0o755 });
    return directory;
  }

  async #copy(from: string, to: string): Promise<void> {
    const kept = ['mode', 'ownership', 'timestamps'];
    if (!this.#faults.has('hard links become copies')) kept.push('links');
    if (!this.#faults.has('attributes are lost')) kept.push('xattr');
    const options = ['-R', '--no-dereference', `--preserve=${kept.join(',')}`, '-T', '--'];
    const { code, stderr } = await runProgram('cp', [...options, from, to]);
    if (code !== 0) throw new Error(stderr);
  }

  async #commit({ key, name }: { key: string; name: string }): Promise<void> {
    const { info, directory } = this.#active(key);
    if (info.kind !== Kind.ACTIVE) throw teuError('SNAPSHOT_READONLY', 'it is a view');
    if (this.#snapshots.has(name)) throw teuError('SNAPSHOT_EXISTS', 'the name is taken');
    const below = this.#snapshots.get(info.parent);
    const isLost = this.#faults.has('changes are lost at commit') && below !== undefined;
    this.#snapshots.delete(key);
    this.#snapshots.set(name, {
      info: { ...info, name, kind: Kind.COMMITTED },
      directory: isLost ? below.directory : directory,
    });
  }

  #find(key: string): Snapshot {
    const found = this.#snapshots.get(key);
    if (found === undefined) throw teuError('SNAPSHOT_NOT_FOUND', `"${key}" does not exist`);
    return found;
  }

  #active(key: string): Snapshot {
    const found = this.#find(key);
    if (found.info.kind !== Kind.COMMITTED) return found;
    throw teuError('SNAPSHOT_COMMITTED', `"${key}" is committed`);
  }
}

function mountsOf({ info, directory }: Snapshot, isWritable = info.kind === Kind.ACTIVE): Mount[] {
  const options = ['rbind', isWritable ? 'rw' : 'ro'];
  return [{ type: 'bind', source: directory, target: '', options }];
}

function unimplemented(): never {
  throw teuError('UNIMPLEMENTED', 'this driver has no such method');
}
