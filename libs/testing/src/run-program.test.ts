import { describe, expect, it } from 'vitest';
import { patient, runProgram } from './index.js';

describe('runProgram', () => {
  it('gives exit code and output, with input', async () => {
    const result = await runProgram('sh', ['-c', 'cat; echo oops >&2; exit 3'], { stdin: 'hello' });
    expect(result).toEqual({ code: 3, stdout: 'hello', stderr: 'oops\n' });
  });

  it('gives 128 + n for a signal, as a shell does', async () => {
    expect((await runProgram('sh', ['-c', 'kill -9 $$'])).code).toBe(137);
  });

  it('kills what takes too long, and says what it said', async () => {
    await expect(
      runProgram('sh', ['-c', 'echo begun; exec sleep 1000'], { timeoutMs: 3000 }),
    ).rejects.toThrow(
      `"sh -c echo begun; exec sleep 1000" has not ended in ${patient(3000)} ms; it said: begun`,
    );
  });

  it('fails if there is no such program', async () => {
    await expect(runProgram('/nonexistent', [])).rejects.toThrow('cannot be started');
  });
});
