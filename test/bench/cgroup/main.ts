import { measureSampling } from './sampling.js';
const count = Number(process.argv[2] ?? 1000);
for (const life of ['sleeping', 'stirring'] as const) {
  process.stdout.write(
    JSON.stringify(await measureSampling(count, life, Number(process.argv[3] ?? 20))) + '\n',
  );
}
