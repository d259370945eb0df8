// Running programs with their output kept for the case that they fail.
import { spawn } from 'node:child_process';
import { SetupFailure } from './step.mjs';

const keptBytes = 65_536;

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string, stdout: string }>} output is the end of both streams
 */
export function runProgram(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let stdout = '';
    const keep = (text) => {
      output = (output + text).slice(-keptBytes);
    };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      keep(text);
    });
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => {
      reject(new SetupFailure(`can't run ${program}: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      resolve({ code: code ?? (signal ? 128 : 1), output, stdout });
    });
  });
}

/** Runs a program that must succeed; failure says so and shows what it printed. */
export async function mustRun(program, args, options, message, hint) {
  const result = await runProgram(program, args, options);
  if (result.code === 0) return result;
  throw new SetupFailure(message, hint, result.output);
}
