import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_STRICTATIME } from '@teu/mounts';
import {
  DEFAULT_DEVICE_LINKS,
  DEFAULT_DEVICES,
  type LaunchPlan,
  type MountPlan,
} from '@teu/native';

/** /proc, /sys and /dev as every container gets them (Docker's default mounts), before the mounts of its spec. */
const MOUNTS: readonly MountPlan[] = [
  mount('/proc', 'proc', MS_NOSUID | MS_NOEXEC | MS_NODEV, ''),
  mount('/dev', 'tmpfs', MS_NOSUID | MS_STRICTATIME, 'mode=755,size=65536k'),
  mount('/dev/pts', 'devpts', MS_NOSUID | MS_NOEXEC, 'newinstance,ptmxmode=0666,mode=0620,gid=5'),
  mount('/sys', 'sysfs', MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, ''),
  mount('/dev/mqueue', 'mqueue', MS_NOSUID | MS_NOEXEC | MS_NODEV, ''),
  mount('/dev/shm', 'tmpfs', MS_NOSUID | MS_NOEXEC | MS_NODEV, 'mode=1777,size=65536k'),
];

/** The part of a plan that puts the customary file systems and devices in place. */
export type DefaultLayout = Pick<LaunchPlan, 'mounts' | 'devices' | 'links'>;

/**
 * The default layout, without what the spec's own mounts replace. If the spec brings a /dev of its own, nothing is
 * made in it: it may be a directory of the host.
 * @param ownTargets where the spec mounts something itself
 */
export function defaultLayout(ownTargets: ReadonlySet<string>): DefaultLayout {
  const ownDev = ownTargets.has('/dev');
  const kept = MOUNTS.filter(
    ({ target }) => !ownTargets.has(target) && !(ownDev && target.startsWith('/dev/')),
  );
  return {
    mounts: kept,
    devices: ownDev ? [] : [...DEFAULT_DEVICES],
    links: ownDev ? [] : [...DEFAULT_DEVICE_LINKS],
  };
}

function mount(target: string, type: string, flags: number, data: string): MountPlan {
  return { type, source: type, target, flags, propagation: 0, data };
}
