import type { ChildProcess } from 'node:child_process';
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

/** The error for a program that ended without an answer. */
export function withoutAnswer(program: string, end: ProcessEnd, complaint: string): Error {
  const how = end.code ?? end.signal ?? 'nothing';
  return internalError(new Error(`${program} ended with ${how}: ${complaint}`));
}
