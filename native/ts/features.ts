import { loadAddon } from './addon.js';
import { callNative } from './call-native.js';

/** What the native layer may need of a kernel; each probed, not guessed from a version. */
export type KernelFeature =
  | 'clone3'
  | 'openat2'
  | 'pidfd'
  | 'closeRange'
  | 'mountApi'
  | 'mountSetattr'
  | 'seccompFilter'
  | 'timeNamespace'
  | 'userNamespace'
  | 'cgroupNamespace'
  | 'cgroup2'
  | 'memfdExec';

let probed: Record<string, boolean> | null = null;

/** All probes with their answers. */
export function kernelFeatures(): Readonly<Record<KernelFeature, boolean>> {
  probed ??= callNative(() => loadAddon().features());
  return probed as Record<KernelFeature, boolean>;
}

/** Does the running kernel have it? */
export function supports(feature: KernelFeature): boolean {
  return kernelFeatures()[feature];
}
