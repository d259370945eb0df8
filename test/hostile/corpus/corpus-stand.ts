import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImageServiceService, LoadImageRequest, type Image } from '@teu/proto/image';
import { SnapshotsService } from '@teu/proto/snapshots';
import { startService, tempDir, type RunningTestService } from '@teu/testing';
import { OWN_DRIVERS, type OwnDriver } from '../../interop/own-drivers.js';
import { MAX_LAYER_BYTES, MAX_LAYER_ENTRIES } from './limits.js';
import { lookInto } from './look-into.js';

/** The image service and storage drivers that all rows of the corpus are put to. */
export interface CorpusStand {
  readonly directory: string;
  readonly service: RunningTestService;
  /** Loads an archive into the default driver. */
  load(archive: Buffer): Promise<Image[]>;
  /** Unpacks an image in a driver as well. */
  prepare(image: Image, driver: string): Promise<void>;
  list(): Promise<Image[]>;
  remove(image: Image): Promise<void>;
  /** Runs a shell command in the tree of a layer, and gives what it prints. */
  look(driver: string, chainId: string, command: string): Promise<string>;
  /** All that images have left; see NOTHING_LEFT. */
  leftovers(): Promise<unknown>;
  stop(): Promise<void>;
}

/** What `leftovers` gives if there are none. */
export const NOTHING_LEFT = {
  ...{ images: [], snapshots: [], blobs: [], staging: [], workers: [], mounts: [] },
};

const LOAD_MS = 60_000;

/** Starts it with these drivers; the first is the default. */
export async function startCorpusStand(driverNames: readonly string[]): Promise<CorpusStand> {
  const own = tempDir();
  const files = join(own.path, 'files');
  mkdirSync(files);
  const drivers = new Map<string, OwnDriver>();
  for (const name of driverNames) {
    const start = OWN_DRIVERS[name];
    if (start !== undefined) drivers.set(name, await start());
  }
  const service = await startImageService(own.path, drivers);
  const { channel } = service;
  const list = async (): Promise<Image[]> => {
    const request = { pageSize: 0, pageToken: '', reference: '' };
    return (await channel.unary(ImageServiceService.listImages, request)).images;
  };
  const store = join(service.dataDir, 'image');
  return {
    directory: own.path,
    service,
    list,
    load: async (archive) => {
      const path = join(files, 'archive');
      writeFileSync(path, archive);
      const request = LoadImageRequest.create({ path, reference: 'row' });
      const options = { timeoutMs: LOAD_MS };
      const { loadImage } = ImageServiceService;
      for await (const { event } of channel.serverStream(loadImage, request, options)) {
        if (event?.$case === 'result') return event.value.images;
      }
      throw new Error('the load ended without a result');
    },
    prepare: async ({ id }, driver) => {
      const request = { reference: id, driver };
      await channel.unary(ImageServiceService.prepareImage, request, { timeoutMs: LOAD_MS });
    },
    remove: async ({ id }) => {
      await channel.unary(ImageServiceService.removeImage, { reference: id, force: true });
    },
    look: (driver, chainId, command) => {
      const found = drivers.get(driver);
      if (found === undefined) throw new Error(`the stand has no driver ${driver}`);
      return lookInto(found.channel, driver, chainId, join(own.path, 'look'), command);
    },
    leftovers: async () => ({
      images: await list(),
      snapshots: (await Promise.all([...drivers].map(snapshotsOf))).flat(),
      blobs: readdirSync(join(store, 'blobs/sha256')),
      staging: readdirSync(join(store, 'staging')),
      workers: childrenOf(service.pid),
      mounts: mountsUnder(service.pid, own.path),
    }),
    stop: async () => {
      await service.stop();
      for (const driver of drivers.values()) await driver.stop();
      own.remove();
    },
  };
}

function startImageService(
  directory: string,
  drivers: ReadonlyMap<string, OwnDriver>,
): Promise<RunningTestService> {
  return startService('image', {
    ...{ runDir: join(directory, 'run'), dataDir: join(directory, 'data') },
    env: {
      TEU_IMAGE_DRIVERS: [...drivers].map(([name, { address }]) => `${name}=${address}`).join(','),
      TEU_IMAGE_MAX_LAYER_BYTES: String(MAX_LAYER_BYTES),
      TEU_IMAGE_MAX_LAYER_ENTRIES: String(MAX_LAYER_ENTRIES),
    },
  });
}

async function snapshotsOf([snapshotter, { channel }]: [string, OwnDriver]): Promise<string[]> {
  const request = { snapshotter, filters: [] };
  const names: string[] = [];
  for await (const { info } of channel.serverStream(SnapshotsService.list, request)) {
    names.push(...info.map(({ name }) => `${snapshotter} ${name}`));
  }
  return names;
}

/** Processes that a process has started. */
export function childrenOf(pid: number): string[] {
  const place = `/proc/${String(pid)}/task/${String(pid)}/children`;
  return readFileSync(place, 'utf8').split(' ').filter(Boolean);
}

function mountsUnder(pid: number, directory: string): string[] {
  const lines = readFileSync(`/proc/${String(pid)}/mountinfo`, 'utf8').split('\n');
  return lines.filter((line) => line.includes(directory));
}
