/** A member of a hand-made tar. Everything can be said, also what no honest program would say. */
export interface TarItem {
  name: string;
  /** Type flag of the header; '0' if absent. */
  type?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds. */
  mtime?: number;
  link?: string;
  data?: Buffer | string;
  /** Size in the header, if it is not that of the data. */
  size?: number | Buffer;
  major?: number;
  minor?: number;
  /** Records of a PAX extended header in front. */
  pax?: [string, string | Buffer][];
  /** Last word on the header, before its checksum is made. */
  patch?: (header: Buffer) => void;
}

const BLOCK = 512;

/** A tar of these members, ended as it should be. */
export function tar(...items: TarItem[]): Buffer {
  return Buffer.concat([...items.flatMap(member), Buffer.alloc(2 * BLOCK)]);
}

export const dir = (name: string, mode = 0o755): TarItem => ({ name: `${name}/`, type: '5', mode });
export const file = (name: string, data = name): TarItem => ({ name, data });
export const link = (name: string, target: string): TarItem => ({ name, type: '2', link: target });
export const hard = (name: string, target: string): TarItem => ({ name, type: '1', link: target });
export const xattr = (name: string, key: string, value: string | Buffer = 'y'): TarItem => ({
  name,
  pax: [[`SCHILY.xattr.${key}`, value]],
});

/** The headers and data of one member. */
export function member(item: TarItem): Buffer[] {
  const pax = item.pax ? member({ name: 'pax', type: 'x', data: paxBody(item.pax) }) : [];
  const data = Buffer.from(item.data ?? '');
  const padding = Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK);
  return [...pax, header(item, data.length), data, padding];
}

function header(item: TarItem, dataLength: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(item.name.slice(0, 100), 0, 'latin1');
  octal(block, 100, 8, item.mode ?? 0o644);
  octal(block, 108, 8, item.uid ?? 0);
  octal(block, 116, 8, item.gid ?? 0);
  if (Buffer.isBuffer(item.size)) item.size.copy(block, 124);
  else octal(block, 124, 12, item.size ?? dataLength);
  octal(block, 136, 12, item.mtime ?? 1_600_000_000);
  block.write(item.type ?? '0', 156, 'latin1');
  block.write((item.link ?? '').slice(0, 100), 157, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  octal(block, 329, 8, item.major ?? 0);
  octal(block, 337, 8, item.minor ?? 0);
  item.patch?.(block);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(block: Buffer, at: number, length: number, value: number): void {
  block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
}

function paxBody(records: [string, string | Buffer][]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
      let length = body.length + 1;
      while (String(length).length + body.length !== length) length += 1;
      return Buffer.concat([Buffer.from(String(length)), body]);
    }),
  );
}
