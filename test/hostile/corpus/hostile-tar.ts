/** A member of a tar that no honest program would write: each field can be any bytes. */
export interface TarPart {
  name: string | Buffer;
  /** Type flag; '0' if absent. */
  type?: string;
  mode?: number;
  link?: string | Buffer;
  data?: Buffer | string;
  /** Size in the header, if it is not that of the data: a number, or the twelve bytes. */
  size?: number | Buffer;
  mtime?: number | Buffer;
  uid?: number | Buffer;
  major?: number;
  minor?: number;
  /** Records of a PAX extended header in front. */
  pax?: readonly (readonly [key: string, value: string | Buffer])[];
  /** The last word on the header before its checksum is made. */
  patch?: (header: Buffer) => void;
}

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

export const dir = (name: string, mode = 0o755): TarPart => ({ name: `${name}/`, type: '5', mode });
export const file = (name: string | Buffer, data: string | Buffer = 'x'): TarPart => ({
  name,
  data,
});
export const link = (name: string, target: string): TarPart => ({ name, type: '2', link: target });
export const hard = (name: string, target: string): TarPart => ({ name, type: '1', link: target });
export const pax = (name: string, ...records: [string, string | Buffer][]): TarPart => ({
  ...{ name, data: 'x' },
  pax: records,
});

/** A tar of these members, ended as it should be. */
export function tar(...parts: TarPart[]): Buffer {
  return Buffer.concat([...parts.flatMap(memberBlocks), END]);
}

/** Headers and data of one member. */
export function memberBlocks(part: TarPart): Buffer[] {
  const data = Buffer.from(part.data ?? '');
  const extension =
    part.pax === undefined
      ? []
      : memberBlocks({ name: 'PaxHeaders/x', type: 'x', data: paxBody(part.pax) });
  return [...extension, header(part, data.length), data, Buffer.alloc(-data.length & (BLOCK - 1))];
}

/** A GNU long name or long link target in front of a member. */
export function gnuLong(type: 'L' | 'K', text: string | Buffer, part: TarPart): Buffer {
  const long = memberBlocks({
    name: '././@LongLink',
    type,
    data: Buffer.concat([Buffer.from(text), Buffer.alloc(1)]),
  });
  return Buffer.concat([...long, ...memberBlocks(part), END]);
}

function header(part: TarPart, dataLength: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  bytesAt(block, 0, 100, part.name);
  numberAt(block, 100, 8, part.mode ?? 0o644);
  numberAt(block, 108, 8, part.uid ?? 0);
  numberAt(block, 116, 8, 0);
  numberAt(block, 124, 12, part.size ?? dataLength);
  numberAt(block, 136, 12, part.mtime ?? 1_600_000_000);
  block.write(part.type ?? '0', 156, 'latin1');
  bytesAt(block, 157, 100, part.link ?? '');
  block.write('ustar\u000000', 257, 'latin1');
  numberAt(block, 329, 8, part.major ?? 0);
  numberAt(block, 337, 8, part.minor ?? 0);
  part.patch?.(block);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function bytesAt(block: Buffer, at: number, length: number, value: string | Buffer): void {
  Buffer.from(value).copy(block, at, 0, length);
}

function numberAt(block: Buffer, at: number, length: number, value: number | Buffer): void {
  if (Buffer.isBuffer(value)) value.copy(block, at, 0, length);
  else block.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'latin1');
}

function paxBody(records: NonNullable<TarPart['pax']>): Buffer {
  return Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
}

/** One record with its length in front, which counts itself (POSIX pax, Extended Header). */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), body]);
}
