import type { Mount } from '@teu/proto/snapshots';
import type { SnapshotPlace } from '../../snapshots/driver.js';
import type { LayerDirectories } from './layer-directories.js';

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
