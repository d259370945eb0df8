import { createConnection, type Socket } from 'node:net';
import { UnionError } from '../union-backend.js';

/** For what takes no longer than the program needs to notice. */
const TIME_LIMIT_MS = 10_000;
/** Longest answer that is taken: 129 branches. */
const MAX_ANSWER_BYTES = 1 << 20;
const ID = '1';
const GONE = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Asks the program of one union something (native/src/union/README.md tells the conversation). A
 * connection for each question: nothing has to be noticed when the program or this one ends.
 *
 * @param words - Verb and its words; without blanks, percent signs and what is not printable.
 * @returns The words of the answer.
 * @throws UnionError with the errno of the refusal; "ENOTCONN" if no program is there, "ETIMEDOUT" if
 *   it does not answer
 */
export async function askUnion(
  path: string,
  words: readonly string[],
  timeoutMs = TIME_LIMIT_MS,
): Promise<string[]> {
  const [verb = ''] = words;
  const line = await exchange(path, `${ID} ${words.join(' ')}\n`, timeoutMs);
  const [id, outcome, ...rest] = line.split(' ');
  if (id === ID && outcome === 'ok') return rest.map(decodeURIComponent);
  if (id !== ID || outcome !== 'error') throw new UnionError('EPROTO', `asking a union to ${verb}`);
  const [code = 'EIO', ...what] = rest.map(decodeURIComponent);
  throw new UnionError(code, `asking a union to ${verb}: ${what.join(' ')}`);
}

/** Waits until a program has ended. @returns Whether it has, in time; at once if there is none */
export async function waitForEnd(path: string, timeoutMs: number): Promise<boolean> {
  const socket = createConnection(path);
  let isTooLate = false;
  const timer = setTimeout(() => {
    isTooLate = true;
    socket.destroy();
  }, timeoutMs);
  await closed(socket);
  clearTimeout(timer);
  return !isTooLate;
}

async function exchange(path: string, question: string, timeoutMs: number): Promise<string> {
  const socket = createConnection(path);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new UnionError('ETIMEDOUT', 'asking a union')), timeoutMs);
  let text = '';
  socket.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    const end = text.indexOf('\n');
    if (end >= 0) resolve(text.slice(0, end));
    else if (text.length > MAX_ANSWER_BYTES) reject(new UnionError('EMSGSIZE', 'asking a union'));
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const code = error.code ?? 'EIO';
    const told = GONE.has(code) ? 'ENOTCONN' : code;
    reject(new UnionError(told, 'asking a union', { cause: error }));
  });
  socket.on('close', () => reject(new UnionError('ENOTCONN', 'asking a union')));
  socket.write(question);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
  });
}
