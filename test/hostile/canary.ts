import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const sysctls = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/panic'];

/** A directory of the host that no image and no container may reach, and what else must not change. */
export interface Canary {
  /** Of the directory; it holds one file, `file`. */
  readonly path: string;
  /** What it looks like: equal before and after, or something got out. Mounts: see the leak check. */
  look(): unknown;
}

export function makeCanary(directory: string): Canary {
  const path = join(directory, 'canary');
  mkdirSync(path);
  writeFileSync(join(path, 'file'), 'canary');
  return {
    path,
    look: () => ({
      names: readdirSync(path),
      content: readFileSync(join(path, 'file'), 'utf8'),
      attributes: [path, join(path, 'file')].map((name) => {
        const { mode, uid, ctimeMs } = statSync(name);
        return { mode, uid, ctimeMs };
      }),
      sysctls: sysctls.map((name) => readFileSync(name, 'utf8')),
    }),
  };
}
