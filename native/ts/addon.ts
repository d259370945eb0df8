import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nativeDirectory } from './native-directory.js';

/** The functions of teu.node, in the order of src/napi/addon.cc. */
export interface Addon {
  /** Reads teu-init into a sealed memory file, once; the seals are read back. */
  prepareInit(path: string): void;
  launch(plan: Uint8Array, title: string): { supervisorPid: number; controlFd: number };
  /** Collects a supervisor if it has ended, without blocking; true if it is gone. */
  reapSupervisor(pid: number): boolean;
  /** Probes of the running kernel. */
  features(): Record<string, boolean>;
}

let loaded: Addon | null = null;

/** Loads teu.node and seals teu-init on first use. */
export function loadAddon(): Addon {
  if (loaded !== null) return loaded;
  const directory = nativeDirectory();
  const addon = createRequire(import.meta.url)(join(directory, 'teu.node')) as Addon;
  addon.prepareInit(join(directory, 'teu-init'));
  loaded = addon;
  return addon;
}
