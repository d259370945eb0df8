import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LinuxResources } from '@teu/proto/type';
import { UsageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { resourcesOfOci } from './oci-resources.js';

/** More than any block that makes sense. */
const MOST_BYTES = 1 << 20;

/**
 * Reads an OCI linux.resources block.
 *
 * @param name - Path of the file; "-" for standard input.
 * @throws UsageError if it cannot be read or is not such a block
 */
export async function readResourcesFile(context: Context, name: string): Promise<LinuxResources> {
  let block: unknown;
  try {
    block = JSON.parse(await textOf(context, name));
  } catch (error) {
    throw new UsageError(`--resources ${name} can’t be read: ${(error as Error).message}`);
  }
  return resourcesOfOci(block);
}

async function textOf(context: Context, name: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const source = name === '-' ? context.stdin.read() : [await readFile(resolve(context.cwd, name))];
  for await (const chunk of source) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error('it is larger than a mebibyte');
  }
  return Buffer.concat(chunks).toString('utf8');
}
