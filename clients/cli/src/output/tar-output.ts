import { SaveResult, type SaveProgress } from '@teu/proto/image';
import { CliError, UsageError } from '../cli-error.js';
import type { Invocation } from '../command.js';
import { jsonDocument, wantsJson } from './json.js';
import { ProgressBar } from './progress-bar.js';

/** A message of a file that a service writes. */
export interface FileNews {
  event?:
    { $case: 'progress'; value: SaveProgress } | { $case: 'result'; value: SaveResult } | undefined;
}

/** Shows how a service writes a file, and at the end prints what it wrote if that is asked for. */
export async function followFile(
  { context, options }: Invocation,
  title: string,
  news: AsyncIterable<FileNews>,
): Promise<void> {
  const bar = new ProgressBar(context.stderr, context.terminal.size()?.columns ?? 80);
  let result: SaveResult | undefined;
  try {
    for await (const { event } of news) {
      if (event?.$case === 'progress' && !options.flag('quiet')) {
        await bar.show(title, event.value.currentBytes, event.value.totalBytes);
      }
      if (event?.$case === 'result') result = event.value;
    }
  } finally {
    await bar.clear();
  }
  if (wantsJson(options) && result !== undefined) {
    await context.stdout.write(jsonDocument(SaveResult.toJSON(result)));
  }
}

/** Refuses to write bytes that are for programs to a terminal, or between lines of JSON. */
export function requireBinaryOutput({ context, options }: Invocation): void {
  if (wantsJson(options)) {
    throw new UsageError('--format json needs -o FILE: standard output is the archive');
  }
  if (!context.stdout.isTerminal) return;
  throw new CliError('an archive is nothing for a terminal', {
    hint: 'name a file with -o FILE, or redirect standard output into one',
  });
}
