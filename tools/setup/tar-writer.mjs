// Tar archives in the ustar format (POSIX.1-1988, pax(1)): as much of it as an image needs.

const blockSize = 512;

function header({ path, mode, size, type, target, mtime }) {
  const block = Buffer.alloc(blockSize);
  const text = (value, offset, length) => block.write(value, offset, length, 'utf8');
  const octal = (value, offset, length) =>
    text(value.toString(8).padStart(length - 1, '0'), offset, length);
  if (Buffer.byteLength(path) > 100) throw new Error(`the path is too long for ustar: ${path}`);
  text(path, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  text(' '.repeat(8), 148, 8);
  text(type, 156, 1);
  text(target, 157, 100);
  text('ustar\u000000', 257, 8);
  text('root', 265, 32);
  text('root', 297, 32);
  const sum = block.reduce((total, byte) => total + byte, 0);
  text(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 8);
  return block;
}

/**
 * Makes a tar archive of files that belong to root.
 * @param {Array<{ path: string, mode?: number, content?: Buffer | string, link?: string }>} entries
 *   a path that ends in a slash is a directory, one with a link a symbolic link, others are files
 * @param {number} mtime time of change of all, in seconds since 1970
 */
export function writeTar(entries, mtime) {
  const blocks = [];
  for (const { path, mode, content = '', link } of entries) {
    const directory = path.endsWith('/');
    const bytes = Buffer.from(content);
    const type = link !== undefined ? '2' : directory ? '5' : '0';
    const defaultMode = link !== undefined ? 0o777 : directory ? 0o755 : 0o644;
    blocks.push(
      header({
        path,
        mode: mode ?? defaultMode,
        size: bytes.length,
        type,
        target: link ?? '',
        mtime,
      }),
      bytes,
      Buffer.alloc((blockSize - (bytes.length % blockSize)) % blockSize),
    );
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)]);
}
