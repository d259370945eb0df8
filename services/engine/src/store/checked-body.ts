import { crc32 } from 'node:zlib';

/** A message as a row keeps it: its bytes, and their checksum, which tells a damaged row from a whole one. */
export interface CheckedBody {
  body: Uint8Array;
  checksum: number;
}

/** How a kind of message becomes bytes and back. */
export interface Codec<M> {
  encode(message: M): { finish(): Uint8Array };
  decode(bytes: Uint8Array): M;
}

/** Makes the columns of a message. */
export function checkedBody<M>(codec: Codec<M>, message: M): CheckedBody {
  const body = codec.encode(message).finish();
  return { body, checksum: crc32(body) };
}

/** Reads the columns back; undefined if they are damaged. */
export function readChecked<M>(codec: Codec<M>, row: CheckedBody): M | undefined {
  if (crc32(row.body) !== row.checksum) return undefined;
  try {
    return codec.decode(row.body);
  } catch {
    return undefined;
  }
}
