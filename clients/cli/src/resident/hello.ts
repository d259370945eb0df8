import type { TerminalSize } from '../context.js';

/** What a launcher says first. */
export interface Hello {
  readonly version: number;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Size of the terminal; undefined if there is none. */
  readonly size: TerminalSize | undefined;
  readonly cwd: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Size that a resize frame or the hello carries; undefined for zeros. */
export function readSize(payload: Buffer, offset: number): TerminalSize | undefined {
  const rows = payload.readUInt16LE(offset);
  const columns = payload.readUInt16LE(offset + 2);
  return rows === 0 || columns === 0 ? undefined : { rows, columns };
}

/**
 * Reads the payload of a hello.
 * @throws RangeError if it is cut short
 */
export function decodeHello(payload: Buffer): Hello {
  let offset = 8;
  const number = () => {
    offset += 4;
    return payload.readUInt32LE(offset - 4);
  };
  const text = () => {
    const length = number();
    if (offset + length > payload.length) throw new RangeError('a hello that is cut short');
    offset += length;
    return payload.toString('utf8', offset - length, offset);
  };
  const texts = () => Array.from({ length: Math.min(number(), payload.length) }, text);

  const flags = payload.readUInt16LE(2);
  const cwd = text();
  const args = texts();
  const env: Record<string, string> = {};
  for (const pair of texts()) {
    const equals = pair.indexOf('=');
    if (equals > 0) env[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return {
    version: payload.readUInt16LE(0),
    stdinIsTerminal: (flags & 1) !== 0,
    stdoutIsTerminal: (flags & 2) !== 0,
    stderrIsTerminal: (flags & 4) !== 0,
    size: readSize(payload, 4),
    cwd,
    args,
    env,
  };
}
