// Generates TypeScript and the descriptor image from proto/. Hermetic: no network, half a second.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const buf = `${root}node_modules/.bin/buf`;
const output = `${root}libs/proto/src/gen`;

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const run = (...args) => execFileSync(buf, args, { cwd: `${root}proto`, stdio: 'inherit' });
run('generate');
run('build', '--output', `${output}/descriptors.binpb`);
