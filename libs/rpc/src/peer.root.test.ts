import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import process from 'node:process';
import { expect, test } from 'vitest';
import { createLogger } from '@teu/log';
import { callKinds, startEcho, until } from './test/echo.js';

const NOBODY = 65_534;

/** Connects as another user and says what came back. */
const client = `
  const socket = require('node:net').connect(process.argv[1]);
  let bytes = 0;
  socket.on('data', (data) => { bytes += data.length; });
  socket.on('error', () => {});
  socket.on('close', () => { process.stdout.write('closed after ' + bytes); });
  socket.on('connect', () => socket.write('PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'));
`;

test.runIf(process.geteuid?.() === 0)(
  'a connection of another user is dropped before it is answered',
  async () => {
    const lines: string[] = [];
    const log = createLogger({
      service: 'echo',
      destination: { write: (line) => void lines.push(line) },
    });
    await using echo = await startEcho({}, { log });
    const path = echo.address.slice('unix:'.length);
    // Open to all as if somebody had made a mistake: the check behind must hold by itself.
    chmodSync(echo.directory, 0o755);
    chmodSync(path, 0o666);
    const child = spawn(process.execPath, ['-e', client, path], {
      uid: NOBODY,
      gid: NOBODY,
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    expect(output).toBe('closed after 0');
    await until(() => lines.length > 0);
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ level: 'warn', peer: { uid: NOBODY } });
    expect(await callKinds.unary(echo.channel, 'own')).toEqual(['own']);
  },
);
