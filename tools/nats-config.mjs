// Writes keys and configuration for a NATS server that `teu up` does not start itself, for example
// that of docker-compose.dev.yml. Usage: node tools/nats-config.mjs [PORT]
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from './esbuild-options.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const port = Number(process.argv[2] ?? 4222);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  process.stderr.write('usage: node tools/nats-config.mjs [PORT]\n');
  process.exit(2);
}
const outfile = join(root, 'dist/tools/nats-config.mjs');
await build({
  ...bundleOptions,
  stdin: { contents: "export { writeNatsConfig } from '@teu/events';", resolveDir: root },
  outfile,
});
const { writeNatsConfig } = await import(outfile);
const dataDir = join(process.env.TEU_DATA_DIR ?? '/var/lib/teu', 'nats');
const { configFile, url } = await writeNatsConfig({ dir: join(dataDir, 'docker'), dataDir, port });
process.stdout.write(`${configFile}\n${url}\n`);
