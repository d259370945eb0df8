import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { bootMachine, type Machine, type MachineOptions } from './machine.js';

const POLL_MS = 100;

/**
 * Boots a machine and waits until its command begins, or it ends.
 *
 * On a busy host a kernel has been seen to panic two seconds after its start, where code is patched while
 * it runs; what causes it was not found out, an emulated processor is supposed to. Such a machine has run
 * nothing yet: it is booted once more, which is told on standard error. One that dies later never is.
 *
 * @param onBoot - Gets each machine as soon as there is one, to end it early.
 * @throws LabFailure
 */
export async function bootUntilUp(
  options: MachineOptions,
  onBoot: (machine: Machine) => void = () => undefined,
): Promise<Machine> {
  const machine = await bootMachine(options);
  onBoot(machine);
  if (!(await diedBooting(machine))) return machine;
  process.stderr.write('lab: the kernel died while it booted; the machine is booted once more\n');
  await machine.remove();
  const again = await bootMachine(options);
  onBoot(again);
  return again;
}

async function diedBooting(machine: Machine): Promise<boolean> {
  const isUp = (): boolean => existsSync(join(machine.shared, 'ready'));
  let hasEnded = false as boolean;
  const ended = machine.ended.then((end) => {
    hasEnded = true;
    return end;
  });
  while (!hasEnded && !isUp()) await Promise.race([ended, delay(POLL_MS)]);
  return hasEnded && !isUp() && (await ended).kind === 'died';
}
