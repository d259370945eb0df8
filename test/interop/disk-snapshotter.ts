import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import { Empty } from '@teu/proto/google';
import { Info, Kind, Mount, SnapshotsService } from '@teu/proto/snapshots';
import { implement, startRpcServer, type RpcServer } from '@teu/rpc';
import { runProgram } from '@teu/testing';

const DISK_BYTES = 32 * 1024 * 1024;

/** What a container's mounts are turned into before they are told; layers are unpacked as they are. */
export type Disguise = (mounts: Mount[]) => Mount[];

interface Disk {
  readonly file: string;
  /** "/dev/loop0"; committed disks have none. */
  device: string;
  info: Info;
}

/**
 * A foreign snapshotter, as small as can be: every snapshot is an ext4 file system on a loop device of
 * its own, a child begins as a copy of its parent. It serves the protocol and nothing beside it.
 */
export class DiskSnapshotter {
  readonly #directory: string;
  readonly #disguise: Disguise;
  readonly #disks = new Map<string, Disk>();
  #count = 0;
  #server: RpcServer | undefined;

  constructor(directory: string, disguise: Disguise = (mounts) => mounts) {
    mkdirSync(directory);
    this.#directory = directory;
    this.#disguise = disguise;
  }

  /** Serves and gives the address. */
  async start(): Promise<string> {
    const address = `unix:${join(this.#directory, 's.sock')}`;
    const make = async (key: string, parent: string, kind: Kind) => ({
      mounts: await this.#make(key, parent, kind),
    });
    const handlers = implement(SnapshotsService, {
      prepare: ({ key, parent }) => make(key, parent, Kind.ACTIVE),
      view: ({ key, parent }) => make(key, parent, Kind.VIEW),
      mounts: async ({ key }) => ({ mounts: this.#mounts(key) }),
      commit: async ({ key, name }) => {
        await this.#commit(key, name);
        return Empty.create();
      },
      remove: async ({ key }) => {
        await this.#remove(key);
        return Empty.create();
      },
      stat: async ({ key }) => ({ info: this.#find(key).info }),
      update: async ({ info }) => ({ info: this.#find(info?.name ?? '').info }),
      list: () => this.#list(),
      usage: async () => ({ size: DISK_BYTES, inodes: 1 }),
      cleanup: async () => Empty.create(),
    });
    const options = { name: 'disks', version: '1', address, services: [handlers] };
    this.#server = await startRpcServer({ ...options, log: silentLogger });
    return address;
  }

  /** Names of all that it has. */
  get names(): string[] {
    return [...this.#disks.keys()];
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    for (const name of this.names) await this.#remove(name);
  }

  async *#list(): AsyncGenerator<{ info: Info[] }> {
    yield { info: [...this.#disks.values()].map(({ info }) => info) };
  }

  async #make(key: string, parent: string, kind: Kind): Promise<Mount[]> {
    if (this.#disks.has(key)) throw teuError('SNAPSHOT_EXISTS', `"${key}" exists`);
    const file = join(this.#directory, String(++this.#count));
    if (parent === '') {
      writeFileSync(file, '');
      truncateSync(file, DISK_BYTES);
      await succeed('mkfs.ext4', '-q', file);
    } else {
      await succeed('cp', '--sparse=always', this.#find(parent).file, file);
    }
    const device = (await succeed('losetup', '--find', '--show', file)).trim();
    this.#disks.set(key, { file, device, info: Info.create({ name: key, parent, kind }) });
    return this.#mounts(key);
  }

  #mounts(key: string): Mount[] {
    const { device, info } = this.#find(key);
    const options = info.kind === Kind.VIEW ? ['ro'] : ['rw', 'noatime'];
    const plain = [Mount.create({ type: 'ext4', source: device, options })];
    return key.startsWith('extract/') ? plain : this.#disguise(plain);
  }

  async #commit(key: string, name: string): Promise<void> {
    const disk = this.#find(key);
    if (this.#disks.has(name)) throw teuError('SNAPSHOT_EXISTS', `"${name}" exists`);
    await succeed('losetup', '--detach', disk.device);
    this.#disks.delete(key);
    const info = { ...disk.info, name, kind: Kind.COMMITTED };
    this.#disks.set(name, { ...disk, device: '', info });
  }

  async #remove(key: string): Promise<void> {
    const { device, file } = this.#find(key);
    if (device !== '') await succeed('losetup', '--detach', device);
    rmSync(file);
    this.#disks.delete(key);
  }

  #find(key: string): Disk {
    const disk = this.#disks.get(key);
    if (disk === undefined) throw teuError('SNAPSHOT_NOT_FOUND', `"${key}" is not there`);
    return disk;
  }
}

async function succeed(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
