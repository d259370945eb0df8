import { describe, expect, it } from 'vitest';
import { waitFor } from './index.js';

describe('waitFor', () => {
  it('gives what the condition gave once it holds; errors and falsy answers mean not yet', async () => {
    const answers = [false, undefined, null, new Error('not yet'), 7];
    const probe = (): unknown => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    };
    expect(await waitFor(probe, { intervalMs: 1 })).toBe(7);
    expect(answers).toEqual([]);
  });

  it('takes zero and the empty string for answers', async () => {
    expect(await waitFor(() => 0)).toBe(0);
    expect(await waitFor(() => '')).toBe('');
  });

  it('says what it waited for, and why not', async () => {
    const cause = new Error('the reason');
    const waiting = waitFor(
      () => {
        throw cause;
      },
      { timeoutMs: 20, intervalMs: 5, what: 'the moon' },
    );
    await expect(waiting).rejects.toMatchObject({ message: 'not within 20 ms: the moon', cause });
  });
});
