import { Buffer } from 'node:buffer';

/** A member of a tar for tests. */
export interface TarMemberInput {
  name: string;
  data?: Uint8Array | string;
  /** '0' file (the default), '5' directory, '2' link, '1' hard link. */
  type?: string;
  link?: string;
  /** Permission bits; those of most files if absent. */
  mode?: number;
}

const BLOCK = 512;

/** A plain ustar archive of these members. Names are at most 100 bytes. */
export function makeTar(...members: TarMemberInput[]): Buffer {
  const blocks = members.flatMap((input) => {
    const data = Buffer.from(input.data ?? '');
    return [
      header(input, data.length),
      data,
      Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK),
    ];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header({ name, type = '0', link = '', mode }: TarMemberInput, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  const bits = mode ?? (type === '5' ? 0o755 : 0o644);
  block.write(`${bits.toString(8).padStart(7, '0')}\0${'0000000\0'.repeat(2)}`, 100);
  block.write(`${size.toString(8).padStart(11, '0')}\x0014000000000\0        ${type}${link}`, 124);
  block.write('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
