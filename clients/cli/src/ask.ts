import type { Context } from './context.js';

/** Asks on the terminal; everything but yes is no. */
export async function ask(
  { stderr, stdin }: Pick<Context, 'stderr' | 'stdin'>,
  question: string,
): Promise<boolean> {
  await stderr.write(`${question} [y/N] `);
  let answer = '';
  for await (const chunk of stdin.read()) {
    answer += Buffer.from(chunk).toString();
    if (answer.includes('\n')) break;
  }
  return /^y(es)?$/i.test(answer.split('\n')[0]?.trim() ?? '');
}
