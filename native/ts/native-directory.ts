import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

/**
 * Where the built binaries are: `TEU_NATIVE_DIR`, or `native/build` of the installation that this file (or the bundle
 * it went into) lies in. Kept apart from the services' configuration because the addon is loaded before any.
 */
export function nativeDirectory(): string {
  const chosen = process.env['TEU_NATIVE_DIR'];
  if (chosen !== undefined && chosen !== '') return chosen;
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'nx.json'))) return join(at, 'native', 'build');
    if (at === dirname(at)) throw new Error('no installation (nx.json) above this file');
  }
}
