// `npm run help`: the commands of this repository.
const commands = [
  ['npm start', 'set everything up, bring the engine up, run a first container'],
  ['npm test', 'set everything up, run all checks and tests'],
  ['npm test -- PATH', 'only the tests below PATH'],
  ['npm run setup', 'only the set-up: packages, build, first image'],
  ['npm run build', 'build what has changed'],
  ['npm run generate', 'generate code from proto/'],
  ['npm run check', 'formatting, types, lint, boundaries, contracts, house rules'],
  ['npm run check -- NAME', 'only one of them'],
  ['npm run format', 'put everything into the house layout'],
  ['npm run bench -- NAME', 'measure, beside the other engines of this machine'],
  ['npm run lab -- COMMAND', 'run a command in a machine with Debian’s kernel'],
  ['npm run lab -- --test PATH', 'run tests in it'],
  ['npm run conformance -- ADDRESS', 'put a storage driver through its contract'],
  ['bin/teu help', 'the engine’s own commands'],
];
const width = Math.max(...commands.map(([command]) => command.length));
for (const [command, meaning] of commands) {
  process.stdout.write(`  ${command.padEnd(width)}  ${meaning}\n`);
}
