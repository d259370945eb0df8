import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError, UsageError } from '../cli-error.js';
import type { Context } from '../context.js';

/**
 * "NAME=value" pairs of --env-file and --env. A name without a value takes the caller's, and is left
 * out if the caller has none.
 */
export async function collectEnvironment(
  context: Context,
  files: readonly string[],
  pairs: readonly string[],
): Promise<string[]> {
  const lines: string[] = [];
  for (const file of files) lines.push(...(await readEnvironmentFile(resolve(context.cwd, file))));
  return [...lines, ...pairs].flatMap((pair) => completePair(context, pair));
}

function completePair(context: Context, pair: string): string[] {
  const equals = pair.indexOf('=');
  if (equals === 0 || pair === '') {
    throw new UsageError(`invalid environment variable "${pair}": it has no name`);
  }
  if (equals > 0) return [pair];
  const value = context.env[pair];
  return value === undefined ? [] : [`${pair}=${value}`];
}

async function readEnvironmentFile(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new CliError(`can't read the environment file ${path}`, { cause, exitCode: 125 });
  }
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Labels of "name=value" pairs; a name alone has an empty value. */
export function parseLabels(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals === 0 || pair === '') throw new UsageError(`invalid label "${pair}": no name`);
      return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
