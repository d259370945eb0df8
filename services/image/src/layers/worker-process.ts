import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { internalError } from '@teu/errors';

/** Most that is kept of a line that is an answer, or of what a program complains about. */
export const OUTPUT_BYTES_MAX = 64 * 1024;

/** How a program ended. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Resolves when a program and its output have ended. @throws INTERNAL if it could not be started */
export function ended(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(internalError(cause)));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

/** Reads a stream to its end and keeps the beginning. */
export async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) {
    if (text.length < OUTPUT_BYTES_MAX) text += String(chunk);
  }
  return text;
}

/**
 * Reads what a program prints to the end: the last line is its answer, those before tell how far it is, as
 * `{"progress":BYTES}`.
 */
export async function collectAnswer(
  stream: Readable | null,
  progress: ((bytes: number) => void) | undefined,
): Promise<string> {
  let answer = '';
  if (stream === null) return answer;
  for await (const line of createInterface({ input: stream })) {
    const bytes = /^\{"progress":(\d{1,15})\}$/.exec(line)?.[1];
    if (bytes === undefined) answer = line.slice(0, OUTPUT_BYTES_MAX);
    else progress?.(Number(bytes));
  }
  return answer;
}

/** The error for a program that ended without an answer. */
export function withoutAnswer(program: string, end: ProcessEnd, complaint: string): Error {
  const how = end.code ?? end.signal ?? 'nothing';
  return internalError(new Error(`${program} ended with ${how}: ${complaint}`));
}
