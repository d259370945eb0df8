import { teuError } from '@teu/errors';
import { MS_REMOUNT, parseMount } from '@teu/mounts';
import type { MountPlan } from '@teu/native';
import type { SpecMount } from '@teu/proto/executor';
import { checkAbsolutePath } from './check-text.js';

/** What may be mounted in a container beside its root; disks and network file systems are bound from the host. */
const TYPES: ReadonlySet<string> = new Set([
  'bind',
  'tmpfs',
  'proc',
  'sysfs',
  'devpts',
  'mqueue',
  'cgroup',
  'cgroup2',
]);

/** Mounts inside the root, in order. @throws INVALID_SPEC, INVALID_ARGUMENT or UNSUPPORTED_MOUNT naming the field. */
export function planMounts(mounts: readonly SpecMount[], field: string): MountPlan[] {
  return mounts.map((mount, index) => planMount(mount, `${field}[${index}]`));
}

/** One mount inside the root. */
export function planMount(mount: SpecMount, field: string): MountPlan {
  const target = checkAbsolutePath(mount.destination, `${field}.destination`);
  const type = mount.type === '' ? 'bind' : mount.type;
  const { options, source } = mount;
  const parsed = parseMount({ type, source, target, options }, field);
  if (!TYPES.has(parsed.type))
    throw unsupported(`${field}.type`, 'can not be mounted in a container');
  if ((parsed.flags & MS_REMOUNT) !== 0) throw unsupported(`${field}.options`, 'has remount');
  if (parsed.recursiveFlags !== 0 || parsed.recursiveFlagsCleared !== 0) {
    throw unsupported(`${field}.options`, 'has a recursive attribute');
  }
  const { flags, propagation, data } = parsed;
  return { type: parsed.type, source, target, flags, propagation, data };
}

function unsupported(field: string, problem: string) {
  return teuError('UNSUPPORTED_MOUNT', `${field} ${problem}`, { metadata: { field } });
}
