import { TransferProgress, TransferStep } from '@teu/proto/image';
import { expect, test } from 'vitest';
import { fakeContext } from '../testing/fake-context.js';
import { pullWords, TransferDisplay } from './transfer-display.js';

const progress = (digit: string, step: TransferStep, currentBytes = 0, detail = '') =>
  TransferProgress.create({
    ...{ digest: `sha256:${digit.repeat(64)}`, step, currentBytes, totalBytes: 1000, detail },
  });
const { TRANSFER_STEP_WAITING: waiting, TRANSFER_STEP_TRANSFERRING: transferring } = TransferStep;

async function show(isTerminal: boolean, ...all: TransferProgress[]): Promise<string> {
  const fake = fakeContext({});
  const output = { ...fake.context.stdout, isTerminal };
  const display = new TransferDisplay(output, fake.context, pullWords);
  for (const each of all) await display.show(each);
  return fake.stdout();
}

test('elsewhere than on a terminal each step of a blob is told once', async () => {
  const text = await show(
    false,
    progress('a', waiting),
    progress('a', transferring, 1),
    progress('a', transferring, 2),
    progress('a', TransferStep.TRANSFER_STEP_RETRYING, 2, 'it\u001b[31m broke'),
    progress('a', TransferStep.TRANSFER_STEP_DONE, 1000),
  );
  expect(text.split('\n')).toEqual([
    'aaaaaaaaaaaa: Waiting',
    'aaaaaaaaaaaa: Downloading',
    'aaaaaaaaaaaa: Retrying (it\\u001b[31m broke)',
    'aaaaaaaaaaaa: Pull complete',
    '',
  ]);
});

test('on a terminal each blob has a line that changes in place', async () => {
  const text = await show(
    true,
    progress('a', transferring, 500),
    progress('b', waiting),
    progress('a', transferring, 1000),
  );
  const half = `${'='.repeat(15)}${' '.repeat(15)}`;
  expect(text.split('\u001b[2A').at(-1)).toBe(
    `\r\u001b[Kaaaaaaaaaaaa: Downloading [${'='.repeat(30)}] 1kB/1kB\n\r\u001b[Kbbbbbbbbbbbb: Waiting\n`,
  );
  expect(text).toContain(`aaaaaaaaaaaa: Downloading [${half}] 500B/1kB`);
});
