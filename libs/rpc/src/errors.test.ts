import { Metadata } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { isTeuError, REASONS, STATUS_CODES, teuError, type Reason } from '@teu/errors';
import { createLogger } from '@teu/log';
import { Any, ErrorInfo, Status } from '@teu/proto/google';
import { errorFromStatus } from './error-wire.js';
import { callKinds, EchoService, startEcho, type EchoHandlers } from './test/echo.js';

const reasons = Object.keys(REASONS) as Reason[];
const kinds = Object.entries(callKinds);

/** Handlers that fail with what the text says, before or (streams) after the first message. */
function failingHandlers(failure: (text: string) => unknown): EchoHandlers {
  return {
    one: async (note) => {
      throw failure(note.text);
    },
    // eslint-disable-next-line require-yield -- it fails before
    async *out(note) {
      throw failure(note.text);
    },
    in: async (notes) => {
      for await (const note of notes) throw failure(note.text);
      return { text: '' };
    },
    async *both(notes) {
      for await (const note of notes) {
        yield note;
        throw failure(note.text);
      }
    },
  };
}

describe('an error of a handler', () => {
  test.each(kinds)('arrives with every reason as it was: %s', async (_kind, call) => {
    await using echo = await startEcho(
      failingHandlers((reason) =>
        teuError(reason as Reason, `it is “${reason}”\nin two lines: 100% ✓`, {
          metadata: { object: 'ä/ö', reason },
          cause: new Error('/secret/host/path'),
        }),
      ),
    );
    for (const reason of reasons) {
      const error = await call(echo.channel, reason).catch((caught: unknown) => caught);
      expect(isTeuError(error, reason), String(error)).toBe(true);
      expect(error).toMatchObject({
        status: REASONS[reason].status,
        message: `it is “${reason}”\nin two lines: 100% ✓`,
        metadata: { object: 'ä/ö', reason },
      });
      expect(JSON.stringify(error)).not.toContain('secret');
    }
  });

  test.each(kinds)('without a reason becomes INTERNAL and is logged: %s', async (_kind, call) => {
    const lines: string[] = [];
    const log = createLogger({
      service: 'echo',
      destination: { write: (line) => void lines.push(line) },
    });
    await using echo = await startEcho(
      failingHandlers(() =>
        Object.assign(new Error('open /secret/host/path'), { code: 16, errno: -2 }),
      ),
      { log },
    );
    const error = await call(echo.channel, 'x').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ reason: 'INTERNAL' });
    if (!isTeuError(error)) throw new Error('unreachable');
    const id = error.metadata['correlation_id'];
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect(error.message).toContain(id);
    expect(error.message).not.toContain('secret');
    const logged = lines.find((line) => line.includes(id ?? '?'));
    expect(JSON.parse(logged ?? '{}')).toMatchObject({
      level: 'error',
      correlation_id: id,
      err: expect.stringContaining('open /secret/host/path (code=16)') as string,
    });
  });

  test('that throws at once instead of rejecting is caught as well', async () => {
    await using echo = await startEcho({
      one: () => {
        throw teuError('IMAGE_NOT_FOUND', 'no such image');
      },
    });
    await expect(echo.channel.unary(EchoService.one, { text: '' })).rejects.toMatchObject({
      reason: 'IMAGE_NOT_FOUND',
    });
  });

  test('survives text that no header can hold', async () => {
    await using echo = await startEcho(
      failingHandlers(() =>
        teuError('IMAGE_INVALID', `\ud800${'x'.repeat(100_000)}`, {
          metadata: { big: 'y'.repeat(100_000) },
        }),
      ),
    );
    const error = await callKinds
      .unary(echo.channel, 'x')
      .catch((caught: unknown) => caught as Error);
    expect(error).toMatchObject({ reason: 'IMAGE_INVALID' });
  });
});

describe('a status of a foreign peer', () => {
  const names = { service: 'snapshotter', method: 'Stat' };

  test.each(Object.entries(STATUS_CODES).filter(([name]) => name !== 'OK'))(
    '%s without details gets a reason of the same status',
    (name, code) => {
      const error = errorFromStatus({ code, details: 'said the peer' }, names);
      expect(error.status).toBe(name);
    },
  );

  test('keeps its text', () => {
    const error = errorFromStatus({ code: 5, details: 'snapshot x does not exist' }, names);
    expect(error).toMatchObject({ reason: 'NOT_FOUND', message: 'snapshot x does not exist' });
  });

  test('that broke off with its connection is unavailability', () => {
    const details = 'Received RST_STREAM with code 0 (Call ended without gRPC status)';
    expect(errorFromStatus({ code: 13, details }, names)).toMatchObject({ reason: 'UNAVAILABLE' });
    expect(errorFromStatus({ code: 13, details: 'a defect' }, names)).toMatchObject({
      status: 'INTERNAL',
    });
  });

  test('with a reason of another domain keeps the reason aside', () => {
    const error = errorFromStatus(
      { code: 5, details: 'gone', metadata: details(5, 'CONTAINER_NOT_FOUND', 'example.com') },
      names,
    );
    expect(error).toMatchObject({
      reason: 'NOT_FOUND',
      metadata: { peer_reason: 'CONTAINER_NOT_FOUND', key: 'value' },
    });
  });

  test('with a reason that this version does not know keeps it aside', () => {
    const error = errorFromStatus(
      { code: 9, details: 'no', metadata: details(9, 'OF_THE_FUTURE', 'teu') },
      names,
    );
    expect(error).toMatchObject({
      reason: 'INVALID_STATE',
      metadata: { peer_reason: 'OF_THE_FUTURE' },
    });
  });

  test('with malformed details keeps its code', () => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff]));
    const error = errorFromStatus({ code: 6, details: 'taken', metadata }, names);
    expect(error).toMatchObject({ reason: 'ALREADY_EXISTS', message: 'taken' });
  });

  function details(code: number, reason: string, domain: string): Metadata {
    const info = ErrorInfo.create({ reason, domain, metadata: { key: 'value' } });
    const any = Any.create({
      typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo',
      value: Buffer.from(ErrorInfo.encode(info).finish()),
    });
    const metadata = new Metadata();
    const status = Status.create({ code, message: 'gone', details: [any] });
    metadata.set('grpc-status-details-bin', Buffer.from(Status.encode(status).finish()));
    return metadata;
  }
});
