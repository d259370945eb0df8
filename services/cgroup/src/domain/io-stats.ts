import { DeviceIoStats, type IoStats } from '@teu/proto/cgroup';
import type { FigureFiles } from './stats.js';

/** A figure of a device, by what the kernel calls it. */
type Figure = 'readBytes' | 'writeBytes' | 'readCount' | 'writeCount';

/** "Total" alone in the first line: no device was used. */
const TOTAL = 'T'.charCodeAt(0);

/**
 * Version 1 (blkio-controller.rst): lines "8:0 Read 4096", one set a device, groups below included
 * where the kernel says so.
 */
export function ioStatsV1(files: FigureFiles): IoStats {
  const devices = new Devices();
  const add = (name: string, read: Figure, write: Figure): void => {
    const text = files.read(`${name}_recursive`) ?? files.read(name);
    if (text === undefined || text.bytes[0] === TOTAL) return;
    for (const line of text.toString().split('\n')) {
      const [device = '', operation, value] = line.split(' ');
      if (operation === 'Read') devices.set(device, read, Number(value));
      if (operation === 'Write') devices.set(device, write, Number(value));
    }
  };
  add('blkio.throttle.io_service_bytes', 'readBytes', 'writeBytes');
  // Whoever moved no byte did nothing.
  if (!devices.isEmpty) add('blkio.throttle.io_serviced', 'readCount', 'writeCount');
  return devices.sum();
}

const V2_FIGURES: ReadonlyMap<string, Figure> = new Map([
  ['rbytes', 'readBytes'],
  ['wbytes', 'writeBytes'],
  ['rios', 'readCount'],
  ['wios', 'writeCount'],
]);

/** Version 2: io.stat, lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0". */
export function ioStatsV2(files: FigureFiles): IoStats {
  const devices = new Devices();
  for (const line of files.read('io.stat')?.toString().split('\n') ?? []) {
    const [device = '', ...fields] = line.split(' ');
    for (const field of fields) {
      const [key = '', value] = field.split('=');
      const figure = V2_FIGURES.get(key);
      if (figure !== undefined) devices.set(device, figure, Number(value));
    }
  }
  return devices.sum();
}

/** Devices that something was read from or written to. */
class Devices {
  readonly #devices = new Map<string, DeviceIoStats>();

  get isEmpty(): boolean {
    return this.#devices.size === 0;
  }

  /** @param device - Its numbers, "8:0". */
  set(device: string, figure: Figure, value: number): void {
    if (value === 0) return;
    let stats = this.#devices.get(device);
    if (stats === undefined) {
      const [major = 0, minor = 0] = device.split(':').map(Number);
      stats = DeviceIoStats.create({ major, minor });
      this.#devices.set(device, stats);
    }
    stats[figure] = value;
  }

  sum(): IoStats {
    const sum: IoStats = { readBytes: 0, writeBytes: 0, readCount: 0, writeCount: 0, devices: [] };
    for (const device of this.#devices.values()) {
      sum.readBytes += device.readBytes;
      sum.writeBytes += device.writeBytes;
      sum.readCount += device.readCount;
      sum.writeCount += device.writeCount;
      sum.devices.push(device);
    }
    return sum;
  }
}
