import type { Context } from '../context.js';

/** Prints what the engine wants people to know. */
export async function printWarnings(context: Context, warnings: readonly string[]): Promise<void> {
  for (const warning of warnings) await context.stderr.write(`teu: warning: ${warning}\n`);
}
