import { describe, expect, test } from 'vitest';
import {
  formatErrorChain,
  internalError,
  isReason,
  isTeuError,
  REASONS,
  STATUS_CODES,
  statusName,
  TeuError,
  teuError,
  type Reason,
} from './index.js';

const reasons = Object.keys(REASONS) as Reason[];

describe('the registry of reasons', () => {
  test.each(reasons)('%s is well-formed', (reason) => {
    expect(reason).toMatch(/^[A-Z][A-Z0-9_]{1,62}$/);
    const { status, doc, retryable } = REASONS[reason];
    expect(STATUS_CODES).toHaveProperty(status);
    expect(status).not.toBe('OK');
    expect(doc).toMatch(/^[A-Z].*\.$/);
    // Only these may be tried again as they are (AIP-194), or after what was in the way is gone.
    if (retryable) expect(['UNAVAILABLE', 'ABORTED', 'FAILED_PRECONDITION']).toContain(status);
  });

  test('knows its own reasons only', () => {
    expect(isReason('CONTAINER_NOT_FOUND')).toBe(true);
    expect(isReason('toString')).toBe(false);
    expect(isReason('__proto__')).toBe(false);
  });
});

describe('an error', () => {
  test('carries reason, status, metadata and cause, and no code', () => {
    const cause = new Error('/host/path');
    const error = teuError('IMAGE_IN_USE', 'image x is used', { metadata: { image: 'x' }, cause });
    expect(error).toBeInstanceOf(TeuError);
    expect(error).toMatchObject({
      name: 'TeuError',
      reason: 'IMAGE_IN_USE',
      status: 'FAILED_PRECONDITION',
      metadata: { image: 'x' },
      cause,
      retryable: false,
    });
    expect(error).not.toHaveProperty('code');
  });

  test('is recognised by what it is, not by its text', () => {
    const error = teuError('UNAVAILABLE', 'away');
    expect(isTeuError(error)).toBe(true);
    expect(isTeuError(error, 'UNAVAILABLE')).toBe(true);
    expect(isTeuError(error, 'NOT_FOUND')).toBe(false);
    expect(isTeuError(new Error('TeuError: UNAVAILABLE'))).toBe(false);
    expect(isTeuError({ reason: 'UNAVAILABLE' })).toBe(false);
    expect(isTeuError(undefined)).toBe(false);
  });

  test('that nobody expected hides behind a correlation id', () => {
    const error = internalError(Object.assign(new Error('open /etc/x'), { code: 'ENOENT' }));
    expect(error.reason).toBe('INTERNAL');
    expect(error.message).not.toContain('/etc');
    expect(error.metadata['correlation_id']).toMatch(/^[0-9a-f]{12}$/);
    const known = teuError('NOT_FOUND', 'x');
    expect(internalError(known)).toBe(known);
  });
});

describe('a chain', () => {
  test('is told outermost first, with what each error knows', () => {
    const errno = Object.assign(new Error('mount refused'), {
      code: 'EBUSY',
      syscall: 'mount',
      path: '/x',
    });
    const middle = new Error('preparing the root', { cause: errno });
    const text = formatErrorChain(teuError('LAUNCH_FAILED', 'container c', { cause: middle }));
    expect(text.split('\n').slice(0, 3)).toEqual([
      'TeuError: container c (reason=LAUNCH_FAILED)',
      'caused by Error: preparing the root',
      'caused by Error: mount refused (code=EBUSY syscall=mount path=/x)',
    ]);
    expect(text).toContain('errors.test.ts');
  });

  test('ends, whatever it is made of', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(formatErrorChain(loop)).toContain('Error: loop');
    expect(formatErrorChain('text')).toBe("'text'");
    expect(formatErrorChain(undefined)).toBe('');
    expect(formatErrorChain(new Error('x', { cause: { odd: 1 } }))).toContain('{ odd: 1 }');
    expect(formatErrorChain(new AggregateError([new Error('a'), new Error('b')], 'all'))).toContain(
      'of Error: b',
    );
  });
});

test('statuses have the numbers of gRPC', () => {
  expect(statusName(5)).toBe('NOT_FOUND');
  expect(statusName(16)).toBe('UNAUTHENTICATED');
  expect(statusName(99)).toBe('UNKNOWN');
  expect(statusName(-1)).toBe('UNKNOWN');
});
