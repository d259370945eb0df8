import { readFileSync } from 'node:fs';
import { logPath } from './log-file.js';

/** The end of a log is enough; a service that can't start says so last. */
const linesRead = 20;

/**
 * Why a service did not start, in its own words: the first line of the message that its log ends with.
 * @param path its log
 * @returns undefined if its last words were no fatal message
 */
export function failureReason(path: string): string | undefined {
  const last = lastLines(path)
    .map(entryOf)
    .findLast((entry) => entry !== undefined);
  if (last?.['level'] !== 'fatal' || typeof last['err'] !== 'string') return undefined;
  const [first = ''] = last['err'].split('\n');
  return first.replace(/^\w*Error: /, '').replace(/ \((?:reason|code)=\w+\)$/, '');
}

/** Which services did not start, why as far as they have said, and where their logs are. */
export function failureText(failed: readonly string[], dataDir: string): string {
  const logs = failed.map((name) => logPath(dataDir, name));
  const reason = logs.map(failureReason).find((text) => text !== undefined);
  const why = reason === undefined ? '' : `: ${reason}`;
  return `${failed.join(', ')} did not start${why}; see ${logs.join(' ')}`;
}

function lastLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-linesRead);
  } catch {
    return [];
  }
}

function entryOf(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? { ...entry } : undefined;
  } catch {
    // Before it has a logger a service writes its mistake as plain text: its name and the error.
    const err = /^[\w-]+: (\w*Error: .*)$/.exec(line)?.[1];
    return err === undefined ? undefined : { level: 'fatal', err };
  }
}
