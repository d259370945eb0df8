import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const FILES_PER_DIRECTORY = 170;
const POOL_BYTES = 4 << 20;
const PIECE_BYTES = 16_384;
/** Of the pieces; about what programs, libraries and texts of a system image shrink to. */
const TEXT_SHARE = 0.7;

/**
 * Writes a tree with a given number of files and bytes, the same each time: most files are small, a few have most of
 * the bytes, and about two thirds of it can be compressed away.
 */
export function writeTree(directory: string, size: { files: number; bytes: number }): void {
  const random = generator(20_261_127);
  const lengths = fileLengths(random, size);
  const pools = { text: textPool(random), noise: noisePool(random) };
  lengths.forEach((length, number) => {
    const place = join(
      directory,
      'usr',
      'lib',
      `d${String(Math.floor(number / FILES_PER_DIRECTORY))}`,
    );
    if (number % FILES_PER_DIRECTORY === 0) mkdirSync(place, { recursive: true });
    const file = openSync(join(place, `file${String(number)}`), 'wx', 0o644);
    for (let left = length; left > 0;) {
      const pool = random() < TEXT_SHARE ? pools.text : pools.noise;
      const begin = Math.floor(random() * (POOL_BYTES - PIECE_BYTES));
      left -= writeSync(file, pool, begin, Math.min(left, PIECE_BYTES));
    }
    closeSync(file);
  });
}

/** Numbers from 0 to 1 that look random (xorshift32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function fileLengths(
  random: () => number,
  { files, bytes }: { files: number; bytes: number },
): number[] {
  const shares = Array.from({ length: files }, () => Math.exp(2.2 * normal(random)));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => Math.floor((share / sum) * bytes));
}

/** A standard normal number, as the sum of twelve even ones. */
function normal(random: () => number): number {
  let sum = -6;
  for (let count = 0; count < 12; count += 1) sum += random();
  return sum;
}

function textPool(random: () => number): Buffer {
  const words = Array.from({ length: 3000 }, () =>
    Array.from({ length: 3 + Math.floor(random() * 8) }, () =>
      String.fromCharCode(97 + Math.floor(random() * 26)),
    ).join(''),
  );
  let text = '';
  while (text.length < POOL_BYTES)
    text += `${words[Math.floor(random() ** 2 * words.length)] ?? ''} `;
  return Buffer.from(text.slice(0, POOL_BYTES));
}

function noisePool(random: () => number): Buffer {
  return Buffer.from(Uint8Array.from({ length: POOL_BYTES }, () => Math.floor(random() * 256)));
}
