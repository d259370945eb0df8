import { inspect } from 'node:util';

const DEPTH_MAX = 10;

/**
 * The error and its causes, outermost first, one a line, with reason, errno and system call where an
 * error has them and the stack of the innermost. For logs only: causes may name host paths.
 */
export function formatErrorChain(error: unknown): string {
  const lines: string[] = [];
  let at: unknown = error;
  let innermost: Error | undefined;
  const seen = new Set<unknown>();
  while (at !== undefined && at !== null && lines.length < DEPTH_MAX && !seen.has(at)) {
    seen.add(at);
    lines.push((lines.length === 0 ? '' : 'caused by ') + describe(at));
    if (!(at instanceof Error)) break;
    innermost = at;
    if (at instanceof AggregateError) {
      for (const inner of at.errors.slice(0, DEPTH_MAX)) lines.push(`  of ${describe(inner)}`);
    }
    at = at.cause;
  }
  const frames = innermost?.stack?.split('\n').filter((line) => line.startsWith('    at '));
  return [...lines, ...(frames ?? [])].join('\n');
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error, { depth: 2, breakLength: Infinity });
  const details = ['reason', 'code', 'syscall', 'path', 'step']
    .map((key): [string, unknown] => [key, (error as unknown as Record<string, unknown>)[key]])
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([key, value]) => `${key}=${String(value)}`);
  return `${error.name}: ${error.message}${details.length > 0 ? ` (${details.join(' ')})` : ''}`;
}
