import { posix } from 'node:path';
import { teuError } from '@teu/errors';

/** A member of an archive, by its place; content is never read here. */
export interface TarMember {
  /** Without leading "./" and trailing "/". */
  name: string;
  kind: 'file' | 'directory' | 'link' | 'other';
  /** Of its data within the tar, in bytes. */
  offset: number;
  size: number;
  /** Target of a symbolic link, else empty. */
  linkName: string;
}

/** Reads `length` bytes at `offset`; fewer only at the end of what there is. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

const BLOCK = 512;
const EXTENSION_BYTES_MAX = 1024 * 1024;

interface Header {
  name: string;
  linkName: string;
  type: string;
  size: number;
}

/**
 * Walks the members of an archive by their headers, hopping over their data. This is for the few
 * members of an archive of images; layers are read by teu-layer and never here.
 * @throws ARCHIVE_INVALID with the byte offset
 */
export async function* tarMembers(read: ReadAt): AsyncGenerator<TarMember> {
  let extensions: Partial<Header> = {};
  for (let offset = 0; ;) {
    const block = await read(offset, BLOCK);
    if (block.length < BLOCK || block.every((byte) => byte === 0)) return;
    const header = { ...parseHeader(block, offset), ...extensions };
    const data = offset + BLOCK;
    if (header.type === 'x' || header.type === 'L' || header.type === 'K') {
      extensions = { ...extensions, ...(await readExtension(read, header, data)) };
    } else if (header.type !== 'g') {
      yield toMember(header, data);
      extensions = {};
    }
    const ownSize = parseHeader(block, offset).size;
    const size =
      header.type === 'x' || header.type === 'L' || header.type === 'K' ? ownSize : sizeOf(header);
    offset = data + Math.ceil(size / BLOCK) * BLOCK;
    if (!Number.isSafeInteger(offset)) throw malformed('a size that is too large', data);
  }
}

function sizeOf(header: Header): number {
  return '0\u00007gS'.includes(header.type) ? header.size : 0;
}

function toMember(header: Header, offset: number): TarMember {
  const name = posix.normalize(header.name).replace(/^(?:\.?\/)+|\/+$/g, '');
  const kinds: Readonly<Record<string, TarMember['kind']>> = {
    '0': 'file',
    '\0': 'file',
    '7': 'file',
    '5': 'directory',
    '2': 'link',
  };
  return {
    name,
    kind: header.name.endsWith('/') ? 'directory' : (kinds[header.type] ?? 'other'),
    offset,
    size: sizeOf(header),
    linkName: header.linkName,
  };
}

async function readExtension(
  read: ReadAt,
  header: Header,
  offset: number,
): Promise<Partial<Header>> {
  if (header.size > EXTENSION_BYTES_MAX)
    throw malformed('an extension header that is too large', offset);
  const body = await read(offset, header.size);
  if (body.length < header.size) throw malformed('a cut-off extension header', offset);
  if (header.type === 'L') return { name: textOf(body) };
  if (header.type === 'K') return { linkName: textOf(body) };
  const found: Partial<Header> = {};
  for (const [key, value] of paxRecords(body, offset)) {
    if (key === 'path') found.name = value;
    else if (key === 'linkpath') found.linkName = value;
    else if (key === 'size') found.size = decimal(value, offset);
  }
  return found;
}

function* paxRecords(body: Uint8Array, offset: number): Generator<[string, string]> {
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? NaN : decimal(textOf(body.subarray(at, space)), offset);
    const record = body.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (!(length > space - at + 2) || at + length > body.length || equals < 1) {
      throw malformed('a malformed PAX record', offset);
    }
    yield [textOf(record.subarray(0, equals)), textOf(record.subarray(equals + 1))];
    at += length;
  }
}

function parseHeader(block: Uint8Array, offset: number): Header {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 0 : (block[at] ?? 0);
  if (sum !== number(block.subarray(148, 156), offset)) throw malformed('a damaged header', offset);
  const field = (from: number, length: number): string =>
    textOf(block.subarray(from, from + length));
  const prefix = field(257, 6) === 'ustar' && block[263] === 0x30 ? field(345, 155) : '';
  return {
    name: prefix === '' ? field(0, 100) : `${prefix}/${field(0, 100)}`,
    linkName: field(157, 100),
    type: String.fromCharCode(block[156] ?? 0),
    size: number(block.subarray(124, 136), offset),
  };
}

function number(bytes: Uint8Array, offset: number): number {
  if (((bytes[0] ?? 0) & 0x80) === 0) {
    const digits = textOf(bytes).trim();
    if (!/^[0-7]*$/.test(digits)) throw malformed('a malformed number', offset);
    return digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  let value = BigInt((bytes[0] ?? 0) & 0x7f);
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed('a size that is too large', offset);
  return Number(value);
}

function decimal(text: string, offset: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw malformed('a malformed number', offset);
  return value;
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

function malformed(what: string, offset: number): Error {
  return teuError('ARCHIVE_INVALID', `the archive has ${what} at byte ${offset}`, {
    metadata: { offset: String(offset) },
  });
}
