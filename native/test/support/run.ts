import { launch, type ExitInfo, type LaunchPlan, type LogRecord } from '../../ts/index.js';

export interface Finished {
  exit: ExitInfo;
  stdout: string;
  stderr: string;
}

/** Launches a plan and waits until the program has ended and its world is gone. */
export async function runToEnd(plan: LaunchPlan): Promise<Finished> {
  const { connection } = launch(plan);
  const output = collect(connection.attach({ from: 'start', blocking: true }));
  const [exit, { stdout, stderr }] = await Promise.all([connection.exited(), output]);
  await connection.released();
  connection.close();
  return { exit, stdout, stderr };
}

export async function collect(
  records: AsyncIterable<LogRecord>,
): Promise<{ stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for await (const record of records) text[record.stream] += record.data.toString('utf8');
  return text;
}
