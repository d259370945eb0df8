import { installRoot } from '@teu/config';
import { join } from 'node:path';
import process from 'node:process';

/** How many times longer than on a host waiting may take (libs/testing/src/patience.ts). */
const PATIENCE = '10';
/** For `teu up`, whose services all start at once. */
const START_SECONDS = '600';

/** What every command in the machine has: this host's paths with the repository's Node first, and nothing else. */
export function guestEnvironment(): Record<string, string> {
  const paths = [
    join(installRoot(), 'node_modules/.bin'),
    ...(process.env['PATH'] ?? '').split(':'),
    ...['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'],
  ];
  return {
    PATH: [...new Set(paths)].filter(Boolean).join(':'),
    HOME: process.env['HOME'] ?? '/root',
    LANG: 'C.UTF-8',
    TMPDIR: '/tmp',
    TEU_TEST_PATIENCE: PATIENCE,
    TEU_UP_START_TIMEOUT: START_SECONDS,
  };
}
