import { teuError } from '@teu/errors';
import type { Mount } from '@teu/proto/snapshots';
import type { LayerDirectories, SnapshotPlace } from '@teu/snapshots';

/**
 * What an image must not be able to use. A layer can carry trusted.overlay attributes that redirect
 * a directory elsewhere or make a file show another one's data; these options have the kernel ignore
 * them, whatever its own defaults are. An index would tie layers to one upper directory.
 */
const SAFE_OPTIONS = ['index=off', 'metacopy=off', 'redirect_dir=nofollow'];

/**
 * Says how to mount a snapshot: layers by overlay, a single one by bind.
 *
 * The nearest layer comes first in lowerdir (Documentation/filesystems/overlayfs.rst). Layer paths
 * hold neither colons nor commas below the data directory, which is checked at start.
 */
export function overlayMounts(directories: LayerDirectories, place: SnapshotPlace): Mount[] {
  const { id, writable, parentIds } = place;
  const [nearest] = parentIds;
  if (nearest === undefined) return [bind(directories.layer(id), writable)];
  if (!writable && parentIds.length === 1) return [bind(directories.layer(nearest), false)];
  const options = [...SAFE_OPTIONS];
  if (writable) {
    options.push(`workdir=${directories.work(id)}`, `upperdir=${directories.layer(id)}`);
  } else {
    options.push('ro');
  }
  options.push(`lowerdir=${parentIds.map((parent) => directories.layer(parent)).join(':')}`);
  return [{ type: 'overlay', source: 'overlay', target: '', options }];
}

function bind(source: string, writable: boolean): Mount {
  return { type: 'bind', source, target: '', options: ['rbind', writable ? 'rw' : 'ro'] };
}

/** mount(2) takes its data in one page, and the last byte of it is a zero. */
const MOUNT_DATA_MAX = 4095;
const LOWER = 'lowerdir=';

/**
 * Who mounts may say layers relative to the directory that they share: image service and executor do, and
 * containerd, when the list is long. So what a path of a layer takes is its id and a colon, and the 128
 * layers of other limits always fit.
 *
 * @throws RESOURCE_EXHAUSTED if the kernel could not be told all layers at once
 */
export function checkMountable(mounts: readonly Mount[]): void {
  for (const { type, options } of mounts) {
    if (type !== 'overlay') continue;
    const length = Buffer.byteLength(options.map(shortened).join(','));
    if (length <= MOUNT_DATA_MAX) continue;
    const text = `so many layers cannot be mounted: naming them takes ${length} bytes and ${MOUNT_DATA_MAX} are possible; a data directory with a shorter path would help`;
    throw teuError('RESOURCE_EXHAUSTED', text, { metadata: { bytes: String(length) } });
  }
}

function shortened(option: string): string {
  if (!option.startsWith(LOWER)) return option;
  const paths = option.slice(LOWER.length).split(':');
  return LOWER + paths.map((path) => path.slice(path.lastIndexOf('/') + 1)).join(':');
}
