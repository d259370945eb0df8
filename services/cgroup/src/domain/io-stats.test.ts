import { describe, expect, it } from 'vitest';
import { figureFiles } from '../testing/figure-files.js';
import { ioStatsV1, ioStatsV2 } from './io-stats.js';

const NONE = { readBytes: 0, writeBytes: 0, readCount: 0, writeCount: 0, devices: [] };

describe('block devices of version 1', () => {
  it('are told one by one and in sum, groups below included where the kernel says so', () => {
    const files = figureFiles({
      'blkio.throttle.io_service_bytes': '8:0 Read 1\nTotal 1\n',
      'blkio.throttle.io_service_bytes_recursive':
        '8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 0\n8:0 Async 12288\n8:0 Discard 0\n8:0 Total 12288\n' +
        '254:16 Read 100\n254:16 Write 0\n254:16 Total 100\nTotal 12388\n',
      'blkio.throttle.io_serviced': '8:0 Read 3\n8:0 Write 4\n254:16 Read 1\nTotal 8\n',
    });
    expect(ioStatsV1(files)).toEqual({
      readBytes: 4196,
      writeBytes: 8192,
      readCount: 4,
      writeCount: 4,
      devices: [
        { major: 8, minor: 0, readBytes: 4096, writeBytes: 8192, readCount: 3, writeCount: 4 },
        { major: 254, minor: 16, readBytes: 100, writeBytes: 0, readCount: 1, writeCount: 0 },
      ],
    });
  });

  it('are none as long as nothing was read or written', () => {
    expect(ioStatsV1(figureFiles({ 'blkio.throttle.io_serviced': 'Total 0\n' }))).toEqual(NONE);
  });
});

describe('block devices of version 2', () => {
  it('are told one by one and in sum', () => {
    const stat =
      '8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=5 dios=1\n' +
      '254:1 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0 cost.usage=77\n';
    expect(ioStatsV2(figureFiles({ 'io.stat': stat }))).toEqual({
      readBytes: 11,
      writeBytes: 22,
      readCount: 4,
      writeCount: 6,
      devices: [
        { major: 8, minor: 0, readBytes: 10, writeBytes: 20, readCount: 1, writeCount: 2 },
        { major: 254, minor: 1, readBytes: 1, writeBytes: 2, readCount: 3, writeCount: 4 },
      ],
    });
  });

  it('may be listed without figures', () => {
    expect(ioStatsV2(figureFiles({ 'io.stat': '8:0 \n7:0\n' }))).toEqual(NONE);
    expect(ioStatsV2(figureFiles({}))).toEqual(NONE);
  });
});
