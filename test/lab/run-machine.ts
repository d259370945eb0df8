import { bootUntilUp } from './boot-until-up.js';
import type { Machine, MachineEnd, MachineOptions } from './machine.js';

/** Signals that end the lab, and with which exit code. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Boots a machine, waits for its end, and leaves nothing behind, also when a signal ends this process.
 * @param look - Called before the machine's directory goes, with its host side of /run/lab.
 * @throws LabFailure
 */
export async function runMachine(
  options: MachineOptions,
  look: (shared: string) => void = () => undefined,
): Promise<MachineEnd> {
  let machine: Machine | undefined;
  let exitCode: number | undefined;
  const endBySignal = (signal: keyof typeof SIGNALS): void => {
    exitCode = SIGNALS[signal];
    machine?.cutPower();
  };
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  for (const name of names) process.on(name, endBySignal);
  try {
    machine = await bootUntilUp(options, (booted) => {
      machine = booted;
      if (exitCode !== undefined) booted.cutPower();
    });
    const end = await machine.ended;
    look(machine.shared);
    return exitCode === undefined ? end : { kind: 'status', code: exitCode };
  } finally {
    await machine?.remove();
    for (const name of names) process.off(name, endBySignal);
  }
}
