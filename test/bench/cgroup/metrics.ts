import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestTeu } from '@teu/testing';

/** What `teu up` is told, so that metrics can be read. */
export const METRICS_ARGS = ['--metrics', '127.0.0.1:0'] as const;

/** Reads the metrics of an engine that was started with {@link METRICS_ARGS}. */
export async function readMetrics({ dataDir }: TestTeu): Promise<string> {
  const log = readFileSync(join(dataDir, 'log/cgroup.log'), 'utf8');
  const address = [...log.matchAll(/"metrics":"([^"]+)"/g)].at(-1)?.[1] ?? '';
  const [response] = (await once(get(`http://${address}/metrics`), 'response')) as [
    IncomingMessage,
  ];
  return text(response);
}
