import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { capture } from '../harness/process.js';
import type { Layers } from './unions.js';

const FILES = 2000;
const STARTS = 50;
const PIECE_BYTES = 128 << 10;
const LARGE_BYTES = 100 << 20;

/** Puts into the lowest layer what the work needs. */
export function prepare({ lower }: Layers): void {
  mkdirSync(join(lower, 'below'));
  for (let index = 0; index < FILES; ++index) {
    writeFileSync(join(lower, 'below', `file ${String(index)}`), 'content\n');
  }
  copyFileSync('/bin/true', join(lower, 'true'));
  chmodSync(join(lower, 'true'), 0o755);
}

function create(root: string): void {
  mkdirSync(join(root, 'made'));
  for (let index = 0; index < FILES; ++index) {
    closeSync(openSync(join(root, 'made', `file ${String(index)}`), 'w'));
  }
}

function copyUp(root: string): void {
  for (let index = 0; index < FILES; ++index) {
    appendFileSync(join(root, 'below', `file ${String(index)}`), 'more\n');
  }
}

function write(root: string): void {
  const piece = Buffer.alloc(PIECE_BYTES, 1);
  const file = openSync(join(root, 'large'), 'w');
  for (let done = 0; done < LARGE_BYTES; done += PIECE_BYTES) writeSync(file, piece);
  closeSync(file);
}

function read(root: string): void {
  const piece = Buffer.alloc(PIECE_BYTES);
  const file = openSync(join(root, 'large'), 'r');
  while (readSync(file, piece) > 0);
  closeSync(file);
}

function start(root: string): void {
  for (let index = 0; index < STARTS; ++index) capture(join(root, 'true'), []);
}

/** What is measured, in this order. */
export const WORK: readonly (readonly [string, (root: string) => void])[] = [
  [`create ${String(FILES)}`, create],
  ['ls -l', (root) => void capture('ls', ['-l', join(root, 'made')])],
  ['ls -l again', (root) => void capture('ls', ['-l', join(root, 'made')])],
  ['rm', (root) => void capture('rm', ['-r', join(root, 'made')])],
  [`copy up ${String(FILES)}`, copyUp],
  ['write 100 MB', write],
  ['read it', read],
  [`start true ${String(STARTS)} times`, start],
];
