import { Buffer } from 'node:buffer';

/** Bytes of a block, and of a header. */
export const TAR_BLOCK = 512;

const OCTAL_SIZE_MAX = 8 ** 11 - 1;

/**
 * Header of a member of an archive that we write (POSIX ustar), always the same for the same name and size: owner root,
 * time 0, one mode. Sizes from 8 GiB on are in base 256, as GNU tar writes them and all readers know.
 * @param name at most 100 bytes of ASCII; a directory's ends with a slash
 * @param size bytes
 */
export function tarHeader(name: string, size: number): Buffer {
  if (name.length > 100) throw new Error(`the name of a member is too long: ${name}`);
  const isDirectory = name.endsWith('/');
  const block = Buffer.alloc(TAR_BLOCK);
  block.write(name, 0, 'latin1');
  block.write(`${isDirectory ? '0000755' : '0000644'}\0${'0000000\0'.repeat(2)}`, 100);
  writeSize(block, size);
  block.write(`${'0'.repeat(11)}\0        ${isDirectory ? '5' : '0'}`, 136);
  block.write('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function writeSize(block: Buffer, size: number): void {
  if (size <= OCTAL_SIZE_MAX) {
    block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    return;
  }
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}

/** Bytes of zeros that fill the last block of a member. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);
}
