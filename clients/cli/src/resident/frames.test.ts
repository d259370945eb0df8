import { expect, test } from 'vitest';
import { encodeFrame, FrameDecoder, fromLauncher, number32 } from './frames.js';
import { decodeHello } from './hello.js';
import { StdinFrames } from './stdin-frames.js';

test('frames come out whole, however the bytes came in', () => {
  const bytes = Buffer.concat([
    encodeFrame(fromLauncher.stdin, Buffer.from('hello')),
    encodeFrame(fromLauncher.stdinEnd),
    encodeFrame(fromLauncher.signal, Uint8Array.of(15)),
  ]);
  for (const size of [1, 3, 7, bytes.length]) {
    const decoder = new FrameDecoder();
    const frames = [];
    for (let begin = 0; begin < bytes.length; begin += size) {
      frames.push(...decoder.push(bytes.subarray(begin, begin + size)));
    }
    expect(frames.map(({ type, payload }) => [type, payload.toString()])).toEqual([
      [fromLauncher.stdin, 'hello'],
      [fromLauncher.stdinEnd, ''],
      [fromLauncher.signal, '\u000f'],
    ]);
  }
});

test('a frame that is longer than any can be is refused', () => {
  expect(() => new FrameDecoder().push(Buffer.from([255, 255, 255, 255, 1]))).toThrow('a frame of');
});

test('a hello that is cut short is refused', () => {
  expect(() => decodeHello(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0]))).toThrow();
  expect(() => decodeHello(Buffer.alloc(3))).toThrow();
});

test('exit codes survive as 32 bits', () => {
  expect([...number32(137)]).toEqual([137, 0, 0, 0]);
  expect([...number32(-1)]).toEqual([255, 255, 255, 255]);
});

test('credit for input is given when it is read, and again as it is taken', async () => {
  const granted: number[] = [];
  const frames = new StdinFrames((bytes) => granted.push(bytes));
  frames.add(Buffer.from('abc'));
  expect(granted).toEqual([]);
  const reader = frames.read();
  expect((await reader.next()).value).toEqual(Buffer.from('abc'));
  expect(granted).toEqual([256 * 1024]);
  frames.end();
  expect((await reader.next()).done).toBe(true);
  expect(granted).toEqual([256 * 1024, 3]);
});
