import { MS_RDONLY, type ParsedMount } from '@teu/mounts';

/** Options are divided by commas; what follows a backslash belongs to its option. */
const OPTION = /(?:\\.|[^,\\])+/gs;
const WRITING = /^(?:upperdir=|workdir=|volatile$)/;

/**
 * The mounts of an active snapshot for somebody who only looks.
 *
 * An overlay is mounted with its upper directory as one more lower one: two overlays that have the same upper and
 * work directory disturb each other (Documentation/filesystems/overlayfs.rst, "Sharing and copying layers"), and the
 * snapshot may be the root of a running container.
 */
export function readOnlyMounts(mounts: readonly ParsedMount[]): ParsedMount[] {
  return mounts.map((mount) => (mount.type === 'overlay' ? readOnlyOverlay(mount) : mount));
}

function readOnlyOverlay(mount: ParsedMount): ParsedMount {
  const options = mount.data.match(OPTION) ?? [];
  const upper = valueOf(options, 'upperdir');
  const lower = valueOf(options, 'lowerdir');
  if (upper === undefined || lower === undefined) return mount;
  const rest = options.filter((text) => !WRITING.test(text) && !text.startsWith('lowerdir='));
  const layers = `lowerdir=${escapeColons(upper)}:${lower}`;
  return { ...mount, flags: mount.flags | MS_RDONLY, data: [...rest, layers].join(',') };
}

function valueOf(options: readonly string[], name: string): string | undefined {
  return options.findLast((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Lower directories are divided by colons, an upper one is alone. */
function escapeColons(path: string): string {
  return path.replaceAll(/(\\.)|:/gs, (_, escaped?: string) => escaped ?? '\\:');
}
