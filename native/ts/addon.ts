import { createRequire } from 'node:module';
import { nativeBinary } from '@teu/config';

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
  const addon = createRequire(import.meta.url)(nativeBinary('teu.node')) as Addon;
  addon.prepareInit(nativeBinary('teu-init'));
  loaded = addon;
  return addon;
}
