import type { JsonObject } from './strict-json.js';

/** A number as it was written; in a document that is written again it stays so (ECMA-262, JSON.rawJSON). */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => object };
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;

/**
 * Parses a document whose form was checked (strict-json.ts), to be written again with members replaced: what nobody
 * replaces comes out as it went in, numbers of any length included.
 */
export function parseExact(bytes: Uint8Array): JsonObject {
  const keepNumbers: Reviver = (_, value, { source }) =>
    typeof value === 'number' && source !== undefined ? rawJSON(source) : value;
  return parseWith(new TextDecoder().decode(bytes), keepNumbers) as JsonObject;
}

/** The document as bytes. Its members keep their order. */
export function encodeExact(document: JsonObject): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
