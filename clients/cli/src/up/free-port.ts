import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Whether nobody listens at a port of 127.0.0.1; 0 asks the kernel for any. Returns the port. */
function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => {
        resolve(found);
      });
    });
  });
}

/**
 * The port of this engine's NATS server: chosen by the kernel the first time and kept, so that clients
 * find it again; another one is chosen when somebody has taken it meanwhile.
 */
export async function natsPort(dataDir: string): Promise<number> {
  const directory = join(dataDir, 'nats');
  const file = join(directory, 'port');
  const kept = keptNatsPort(dataDir);
  if (kept !== undefined && (await tryPort(kept)) !== undefined) return kept;
  const chosen = await tryPort(0);
  if (chosen === undefined) throw new Error('no free port on 127.0.0.1');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(file, `${String(chosen)}\n`, { mode: 0o600 });
  return chosen;
}

/** The port that was chosen for an engine's NATS server; undefined if it never had one. */
export function keptNatsPort(dataDir: string): number | undefined {
  try {
    const port = Number(readFileSync(join(dataDir, 'nats', 'port'), 'utf8'));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}
