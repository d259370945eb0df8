import { teuError } from '@teu/errors';

/** The largest document of an image that is read, as registries have it. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 64;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses a document that came with an image: at most 4 MiB of UTF-8, at most 64 levels deep, an
 * object, and no member twice (two readers of one that is there twice may see two images).
 * @throws IMAGE_INVALID saying what is wrong with `what`
 */
export function parseDocument(bytes: Uint8Array, what: string): JsonObject {
  const value = parseJson(bytes, what);
  if (!isObject(value)) throw invalid(what, 'is not an object');
  return value;
}

/** As parseDocument, for a document that is a list. */
export function parseListDocument(bytes: Uint8Array, what: string): unknown[] {
  const value = parseJson(bytes, what);
  if (!Array.isArray(value)) throw invalid(what, 'is not a list');
  return value;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > DOCUMENT_BYTES_MAX) {
    throw invalid(what, `exceeds ${DOCUMENT_BYTES_MAX} bytes`);
  }
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    checkShape(text, what);
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw invalid(what, 'is not JSON', error);
    }
    throw error;
  }
  return value;
}

/** Looks for depth and repeated members before the parser builds anything; syntax is the parser's business. */
function checkShape(text: string, what: string): void {
  const open: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/gs;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found === '{' || found === '[') {
      if (open.push(found === '{' ? new Set() : undefined) > DEPTH_MAX) {
        throw invalid(what, `is nested deeper than ${DEPTH_MAX} levels`);
      }
    } else if (found === '}' || found === ']') {
      open.pop();
    } else if (isMemberName(text, token.lastIndex)) {
      const names = open.at(-1);
      const name = JSON.parse(found) as string;
      if (names?.has(name)) throw invalid(what, 'has a member twice');
      names?.add(name);
    }
  }
}

function isMemberName(text: string, from: number): boolean {
  let at = from;
  while (' \t\n\r'.includes(text[at] ?? '.')) at += 1;
  return text[at] === ':';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own member of a parsed document; undefined if it is absent or null. */
export function member(object: JsonObject, name: string): unknown {
  const value: unknown = Object.hasOwn(object, name) ? object[name] : undefined;
  return value ?? undefined;
}

/** The refusal of a document. */
export function invalid(what: string, wrong: string, cause?: unknown): Error {
  return teuError('IMAGE_INVALID', `${what} ${wrong}`, {
    metadata: { document: what },
    ...(cause === undefined ? {} : { cause }),
  });
}
