import { runTree } from './tree-program.js';

/**
 * Tries whether a file in a directory keeps extended attributes of every kind, for a driver that says
 * so by CAPABILITY_XATTRS. Leaves nothing behind.
 */
export async function keepsAttributes(directory: string): Promise<boolean> {
  const line = await runTree(['probe', directory]);
  return (JSON.parse(line) as { attributes: boolean }).attributes;
}
