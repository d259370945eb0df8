import { mountSnapshot, SnapshotsClient, unmountSnapshot } from '@teu/snapshot-conformance';
import {
  loopFilesystem,
  startService,
  tempDir,
  waitFor,
  type LoopFilesystem,
  type RunningTestService,
  type TempDir,
} from '@teu/testing';
import { existsSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export const MEGABYTE = 1 << 20;
const DISK_BYTES = 512 * MEGABYTE;
const FILES = 40;
const STOP_TIME_LIMIT_MS = 5000;

/** The driver as a process, with its data on a btrfs of its own. */
export class BtrfsFixture {
  readonly disk: LoopFilesystem;
  service!: RunningTestService;
  snapshots!: SnapshotsClient;
  readonly #run: TempDir;

  private constructor(disk: LoopFilesystem, run: TempDir) {
    this.disk = disk;
    this.#run = run;
  }

  /** Makes the file system and starts the driver. */
  static async make(): Promise<BtrfsFixture> {
    const fixture = new BtrfsFixture(await loopFilesystem(DISK_BYTES, 'btrfs'), tempDir());
    await fixture.start();
    return fixture;
  }

  async start(env: Record<string, string> = {}): Promise<void> {
    const dataDir = join(this.disk.path, 'd');
    this.service = await startService('btrfs', { runDir: this.#run.path, dataDir, env });
    this.snapshots = new SnapshotsClient(this.service.channel, 'btrfs');
  }

  async kill(): Promise<void> {
    this.service.kill('SIGKILL');
    await this.service.exited;
    await waitFor(() => !this.isWorkedOn(), { timeoutMs: STOP_TIME_LIMIT_MS });
  }

  async remove(): Promise<void> {
    await this.service.stop();
    this.disk.remove();
    this.#run.remove();
  }

  /** Mounts, works, unmounts, outside of the file system. */
  async withMounted<T>(
    mounts: Parameters<typeof mountSnapshot>[0],
    work: (root: string) => T | Promise<T>,
  ): Promise<T> {
    const root = join(this.#run.path, 'm');
    await mountSnapshot(mounts, root);
    try {
      return await work(root);
    } finally {
      await unmountSnapshot(root);
    }
  }

  async makeLayer(name: string, parent = ''): Promise<void> {
    const mounts = await this.snapshots.prepare(`making ${name}`, parent);
    await this.withMounted(mounts, (root) => {
      for (let index = 0; index < FILES; index += 1) {
        writeFileSync(join(root, `${name} ${index}`), content(name, index));
      }
    });
    await this.snapshots.commit(name, `making ${name}`);
  }

  /** Expects a layer to have the files of some layers, and no others. */
  async expectWhole(layer: string, names: readonly string[]): Promise<void> {
    const mounts = await this.snapshots.view(`look at ${layer}`, layer);
    await this.withMounted(mounts, (root) => {
      expect(readdirSync(root)).toHaveLength(FILES * names.length);
      for (const name of names) {
        for (let index = 0; index < FILES; index += 1) {
          const text = readFileSync(join(root, `${name} ${index}`), 'utf8');
          expect(text).toBe(content(name, index));
        }
      }
    });
    await this.snapshots.remove(`look at ${layer}`);
  }

  /** Names in a directory of the driver. */
  folder(name: string): string[] {
    return readdirSync(join(this.service.dataDir, 'btrfs', name));
  }

  availableBytes(): number {
    const { bavail, bsize } = statfsSync(this.disk.path);
    return bavail * bsize;
  }

  /** Qgroups of the file system, as LEVEL_ID; none if it does not account. */
  qgroups(): string[] {
    const device = loopName(this.disk.path);
    const found = readdirSync('/sys/fs/btrfs')
      .map((id) => join('/sys/fs/btrfs', id))
      .find((path) => existsSync(join(path, 'devices', device)));
    const directory = join(found ?? '', 'qgroups');
    const names = existsSync(directory) ? readdirSync(directory) : [];
    return names.filter((name) => /^[0-9]+_[0-9]+$/.test(name));
  }

  /** Whether programs that the driver started still have to do with its files. */
  isWorkedOn(): boolean {
    const root = join(this.service.dataDir, 'btrfs');
    return processes().some(({ words }) => words.some((word) => word.startsWith(root)));
  }

  /** Ids of the running teu-btrfs of the driver. */
  programs(): number[] {
    const root = join(this.service.dataDir, 'btrfs');
    return processes()
      .filter(({ words: [program = '', directory] }) => {
        return program.endsWith('/teu-btrfs') && directory === root;
      })
      .map(({ pid }) => pid);
  }
}

function content(name: string, index: number): string {
  return `${name} ${index}\n`.repeat(1000);
}

function processes(): { pid: number; words: string[] }[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => ({ pid: Number(name), words: commandLine(name) }));
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Name of the loop device below a mount point. */
function loopName(mountPoint: string): string {
  const line = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .find((mount) => mount.split(' ')[1] === mountPoint);
  return line?.split(' ')[0]?.replace('/dev/', '') ?? '';
}
