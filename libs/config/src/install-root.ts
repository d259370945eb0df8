import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

let root: string | undefined;

/**
 * Directory of this installation: the one with `nx.json` above this file, or above the bundle that it
 * went into.
 * @throws Error if there is none.
 */
export function installRoot(): string {
  if (root !== undefined) return root;
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'nx.json'))) {
      root = at;
      return root;
    }
    if (at === dirname(at)) throw new Error('no installation (nx.json) above this file');
  }
}

/** Directory of the built binaries: TEU_NATIVE_DIR, or `native/build` of the installation. */
export function nativeDirectory(): string {
  const chosen = process.env['TEU_NATIVE_DIR'];
  return chosen !== undefined && chosen !== '' ? chosen : join(installRoot(), 'native', 'build');
}

/** Path of a built binary, for example `teu-layer`. It is not checked that it exists. */
export function nativeBinary(name: string): string {
  return join(nativeDirectory(), name);
}
