import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameSplitter, MAX_PAYLOAD_BYTES } from './frames.js';
import { decodeFailed, decodeLogRecords, LOG_RECORD_MAGIC } from './frame-payloads.js';
import { NativeError } from './native-error.js';

describe('frames', () => {
  const stream = Buffer.concat([
    encodeFrame(1, 2, Buffer.from('abc')),
    encodeFrame(3, 0, Buffer.alloc(0)),
    encodeFrame(65535, 65535, Buffer.alloc(MAX_PAYLOAD_BYTES, 'x')),
  ]);

  it.each([1, 2, 3, 7, 8, 9, 1000, stream.length])(
    'come whole out of pieces of %i bytes',
    (size) => {
      const splitter = new FrameSplitter();
      const frames = [];
      for (let at = 0; at < stream.length; at += size) {
        frames.push(...splitter.push(stream.subarray(at, at + size)));
      }
      expect(frames.map((frame) => [frame.type, frame.tag, frame.payload.length])).toEqual([
        [1, 2, 3],
        [3, 0, 0],
        [65535, 65535, MAX_PAYLOAD_BYTES],
      ]);
      expect(frames[0]?.payload.toString()).toBe('abc');
    },
  );

  it('longer than any honest one are refused before they are awaited', () => {
    const header = encodeFrame(1, 1, Buffer.alloc(0));
    header.writeUInt32LE(MAX_PAYLOAD_BYTES + 1, 0);
    expect(() => new FrameSplitter().push(header)).toThrow(RangeError);
  });
});

describe('payloads', () => {
  it('of a failure become an error with a string code', () => {
    const texts = Buffer.from('execexecve/bin/x');
    const payload = Buffer.alloc(12 + texts.length);
    payload.writeUInt32LE(2, 0);
    payload.writeUInt16LE(4, 4);
    payload.writeUInt16LE(6, 6);
    payload.writeUInt16LE(6, 8);
    payload.set(texts, 12);
    const error = new NativeError(decodeFailed(payload));
    expect(error).toMatchObject({
      code: 'ENOENT',
      errno: -2,
      step: 'exec',
      syscall: 'execve',
      path: '/bin/x',
      message: "exec: execve '/bin/x': ENOENT",
    });
  });

  it('of the log hold several records', () => {
    const record = (offset: bigint, text: string): Buffer => {
      const bytes = Buffer.alloc(24 + text.length);
      bytes.writeBigUInt64LE(offset, 0);
      bytes.writeBigUInt64LE(5n, 8);
      bytes.writeUInt32LE(text.length, 16);
      bytes.writeUInt8(2, 20);
      bytes.writeUInt16LE(LOG_RECORD_MAGIC, 22);
      bytes.write(text, 24);
      return bytes;
    };
    const both = Buffer.concat([record(10n, 'ab'), record(36n, 'c')]);
    expect(decodeLogRecords(both)).toMatchObject([
      { offset: 10n, nextOffset: 36n, stream: 'stderr', timeNs: 5n },
      { offset: 36n, nextOffset: 61n, gap: false },
    ]);
    expect(() => decodeLogRecords(both.subarray(0, 40))).toThrow('malformed log record');
  });
});
