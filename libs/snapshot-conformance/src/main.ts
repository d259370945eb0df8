import { connect } from '@teu/rpc';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { CONFORMANCE_CASES } from './cases/index.js';
import { parseArguments, USAGE, UsageError, type CommandOptions } from './command/arguments.js';
import { countResults, formatCounts, formatResult } from './command/report.js';
import { capabilityName, readTraits } from './driver-traits.js';
import { runConformance, type CaseResult } from './run-conformance.js';
import { SnapshotsClient } from './snapshots-client.js';
import { TreeProgram } from './tree-program.js';

const USAGE_STATUS = 2;

/** Runs the cases and prints the report. Gives whether all went well. */
async function run(options: CommandOptions): Promise<boolean> {
  const { address, namespace, format } = options;
  const headers = namespace === undefined ? {} : { 'containerd-namespace': namespace };
  const channel = connect(address, { serviceName: 'the driver', headers });
  const keepFromGarbage = namespace !== undefined;
  const snapshots = new SnapshotsClient(channel, options.snapshotter, { keepFromGarbage });
  const tree = new TreeProgram();
  const results: CaseResult[] = [];
  const seed = options.seed ?? randomUUID().slice(0, 8);
  const interrupt = new AbortController();
  // Once to leave nothing behind; whoever does it twice knows better.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupt.abort(new Error('interrupted')));
  }
  const write = (text: string): void => {
    if (format === 'text') process.stdout.write(text);
  };
  try {
    const traits = await readTraits(channel, options.declared);
    const names = [...traits.capabilities].map(capabilityName).join(', ') || 'no capabilities';
    write(`declared: ${names}; ${traits.maxLayerCount} layers\nseed: ${seed}\n\n`);
    const target = {
      channel,
      snapshots,
      traits,
      tree,
      random: { seed, stacks: options.stacks },
      signal: interrupt.signal,
      keyPrefix: `conformance/${randomUUID()}/`,
    };
    const wanted = CONFORMANCE_CASES.filter(
      ({ name }) => options.only.length === 0 || options.only.includes(name),
    );
    for await (const result of runConformance(target, wanted)) {
      results.push(result);
      write(formatResult(result));
    }
  } finally {
    channel.close();
    await tree.close();
  }
  const counts = countResults(results);
  write(`\n${formatCounts(counts)}`);
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify({ seed, ...counts, cases: results }, undefined, 2)}\n`);
  }
  if (interrupt.signal.aborted) write('interrupted\n');
  return counts.failed === 0 && !interrupt.signal.aborted;
}

try {
  process.exitCode = (await run(parseArguments(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\n${isUsage ? `\n${USAGE}` : ''}`,
  );
  process.exitCode = isUsage ? USAGE_STATUS : 1;
}
