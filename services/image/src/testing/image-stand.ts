import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ImageServiceService,
  LoadImageRequest,
  type Image,
  type PrepareImageResponse,
  type RemoveImageResponse,
} from '@teu/proto/image';
import { SnapshotsService, type Mount } from '@teu/proto/snapshots';
import { runProgram, startService, tempDir, type RunningTestService } from '@teu/testing';

/** The image service with a real storage driver, each in a process of its own. */
export interface ImageStand {
  /** For the files of the test. */
  directory: string;
  dataDir: string;
  driver: RunningTestService;
  service: RunningTestService;
  /** Writes a file and gives its path. */
  file(name: string, data: Buffer): string;
  load(request: Partial<LoadImageRequest>): Promise<Image[]>;
  list(): Promise<Image[]>;
  prepare(reference: string, driver?: string): Promise<PrepareImageResponse>;
  remove(reference: string, force?: boolean): Promise<RemoveImageResponse>;
  /** Runs a shell command in a look at an image's tree and gives its output. */
  look(snapshot: string, command: string): Promise<string>;
  /** Runs a shell command in the tree of an active snapshot and gives its output. */
  runIn(key: string, command: string): Promise<string>;
  /** Names of all snapshots of the driver, sorted. */
  snapshots(): Promise<string[]>;
  /** Digests of the blobs on disk and names in staging. */
  stored(): { blobs: string[]; staging: string[] };
  /** Starts the image service again, after it has ended. */
  restart(env?: Record<string, string>): Promise<void>;
  /** Kills both services, does something, and starts them again, the image service with these variables. */
  crash(meanwhile: () => Promise<void>, env?: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

export const DRIVER = 'overlay2';
const LOAD_MS = 60_000;

/** Where and how a stand runs. */
export interface StandOptions {
  /** Of the image service. */
  env?: Record<string, string>;
  /** Default: a directory of its own. */
  dataDir?: string;
  /** Name of the storage driver; overlay2 if absent. */
  driver?: string;
  driverEnv?: Record<string, string>;
}

export async function startImageStand(options: StandOptions = {}): Promise<ImageStand> {
  const own = tempDir();
  const runDir = join(own.path, 'run');
  const dataDir = options.dataDir ?? join(own.path, 'data');
  const files = join(own.path, 'files');
  mkdirSync(files);
  const driverName = options.driver ?? DRIVER;
  const startDriver = () =>
    startService(driverName, { runDir, dataDir, env: options.driverEnv ?? {} });
  const drivers = `${driverName}=unix:${join(runDir, `${driverName}.sock`)}`;
  const start = (more: Record<string, string>) =>
    startService('image', { runDir, dataDir, env: { TEU_IMAGE_DRIVERS: drivers, ...more } });
  const stand: ImageStand = {
    directory: files,
    dataDir,
    driver: await startDriver(),
    service: await start(options.env ?? {}),
    file: (name, data) => {
      writeFileSync(join(files, name), data);
      return join(files, name);
    },
    load: async (request) => {
      const answers = stand.service.channel.serverStream(
        ImageServiceService.loadImage,
        LoadImageRequest.create(request),
        { timeoutMs: LOAD_MS },
      );
      for await (const { event } of answers) {
        if (event?.$case === 'result') return event.value.images;
      }
      throw new Error('the load ended without a result');
    },
    list: async () => {
      const request = { pageSize: 0, pageToken: '', reference: '' };
      return (await stand.service.channel.unary(ImageServiceService.listImages, request)).images;
    },
    prepare: (reference, driver = '') =>
      stand.service.channel.unary(ImageServiceService.prepareImage, { reference, driver }),
    remove: (reference, force = false) =>
      stand.service.channel.unary(ImageServiceService.removeImage, { reference, force }),
    look: (parent, command) => lookAt(stand.driver, own.path, parent, command),
    runIn: (key, command) => runInActive(stand.driver, own.path, key, command),
    snapshots: () => snapshotNames(stand.driver),
    stored: () => ({
      blobs: readdirSync(join(dataDir, 'image/blobs/sha256')).sort(),
      staging: readdirSync(join(dataDir, 'image/staging')),
    }),
    restart: async (more = {}) => {
      stand.service.channel.close();
      await stand.service.exited;
      stand.service = await start(more);
    },
    crash: async (meanwhile, env = {}) => {
      for (const victim of [stand.service, stand.driver]) {
        victim.channel.close();
        victim.kill('SIGKILL');
        await victim.exited;
      }
      await meanwhile();
      stand.driver = await startDriver();
      stand.service = await start(env);
    },
    stop: async () => {
      await stand.service.stop();
      await stand.driver.stop();
      own.remove();
    },
  };
  return stand;
}

async function lookAt(
  driver: RunningTestService,
  directory: string,
  parent: string,
  command: string,
): Promise<string> {
  const key = `view/${randomUUID()}`;
  const request = { snapshotter: driver.name, key, parent, labels: {} };
  const { mounts } = await driver.channel.unary(SnapshotsService.view, request);
  const output = await runMounted(directory, mounts, command);
  await driver.channel.unary(SnapshotsService.remove, { snapshotter: driver.name, key });
  return output;
}

async function runInActive(
  driver: RunningTestService,
  directory: string,
  key: string,
  command: string,
): Promise<string> {
  const request = { snapshotter: driver.name, key };
  const { mounts } = await driver.channel.unary(SnapshotsService.mounts, request);
  return runMounted(directory, mounts, command);
}

/** Names of all snapshots of a driver, sorted. */
export async function snapshotNames(driver: RunningTestService): Promise<string[]> {
  const names: string[] = [];
  const request = { snapshotter: driver.name, filters: [] };
  for await (const { info } of driver.channel.serverStream(SnapshotsService.list, request)) {
    names.push(...info.map(({ name }) => name));
  }
  return names.sort();
}

/** In a mount namespace of its own, so that nothing stays mounted whatever happens. */
async function runMounted(directory: string, mounts: Mount[], command: string): Promise<string> {
  const target = join(directory, 'look');
  mkdirSync(target, { recursive: true });
  const steps = mounts.map(({ type, source, options }) => {
    const bind = options.includes('bind') || options.includes('rbind');
    const data = options.filter((option) => option !== 'bind' && option !== 'rbind').join(',');
    const kind = bind ? '--rbind' : `-t ${type}`;
    return `mount ${kind} ${data === '' || bind ? '' : `-o ${data}`} '${source}' '${target}'`;
  });
  const script = [...steps, `cd '${target}'`, command].join(' && ');
  const ran = await runProgram('unshare', ['--mount', 'sh', '-c', script]);
  if (ran.code !== 0) throw new Error(`${script}: ${ran.stderr}`);
  return ran.stdout;
}
