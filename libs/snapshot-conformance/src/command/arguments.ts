import type { Capability } from '@teu/proto/storage';
import { parseArgs } from 'node:util';
import { CONFORMANCE_CASES } from '../cases/index.js';
import { CAPABILITY_NAMES, capabilityOf, type DeclaredTraits } from '../driver-traits.js';

/** What the command was asked for. */
export interface CommandOptions {
  /** Where the driver serves. */
  readonly address: string;
  /** Name to send as "snapshotter". */
  readonly snapshotter: string;
  /** Sent as "containerd-namespace"; undefined for none. */
  readonly namespace: string | undefined;
  readonly declared: DeclaredTraits;
  readonly stacks: number;
  /** Undefined for a new one. */
  readonly seed: string | undefined;
  /** Names of the cases to run; all if empty. */
  readonly only: readonly string[];
  readonly format: 'text' | 'json';
}

/** A mistake in the arguments. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `usage: npm run -s conformance -- ADDRESS [OPTION...]

Puts a storage driver through its contract: any server of containerd.services.snapshots.v1.Snapshots.
Needs root, because it performs the mounts. It leaves no snapshots behind.

  ADDRESS               where the driver serves, "unix:/path/to.sock"
  --snapshotter NAME    what to send as "snapshotter", for a server of several
  --namespace NAME      what to send as "containerd-namespace", for containerd itself
  --capability NAME     what a driver can do that has no DriverService to say so; may be repeated:
                        ${CAPABILITY_NAMES.join(', ')}
  --max-layers N        how many layers such a driver can stack
  --stacks N            stacks of random layers; default 25
  --seed TEXT           what random layers follow from; default is a new one, which is printed
  --only NAME           run this case only; may be repeated
  --format text|json    default text
`;

const OPTIONS = {
  snapshotter: { type: 'string', default: '' },
  namespace: { type: 'string' },
  capability: { type: 'string', multiple: true, default: [] as string[] },
  'max-layers': { type: 'string', default: '0' },
  stacks: { type: 'string', default: '25' },
  seed: { type: 'string' },
  only: { type: 'string', multiple: true, default: [] as string[] },
  format: { type: 'string', default: 'text' },
} as const;

/** Reads the arguments of the command. @throws UsageError */
export function parseArguments(args: readonly string[]): CommandOptions {
  const { positionals, values } = parse(args);
  const [address, ...others] = positionals;
  if (address === undefined || others.length > 0) throw new UsageError('one ADDRESS is needed');
  const { format } = values;
  if (format !== 'text' && format !== 'json') {
    throw new UsageError(`--format is text or json, not "${format}"`);
  }
  return {
    address,
    snapshotter: values.snapshotter,
    namespace: values.namespace,
    declared: {
      capabilities: values.capability.map(parseCapability),
      maxLayerCount: parseCount('--max-layers', values['max-layers']),
    },
    stacks: parseCount('--stacks', values.stacks),
    seed: values.seed,
    only: values.only.map(parseCaseName),
    format,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseCapability(name: string): Capability {
  const capability = capabilityOf(name);
  if (capability !== undefined) return capability;
  throw new UsageError(`no capability "${name}"; there are ${CAPABILITY_NAMES.join(', ')}`);
}

function parseCaseName(name: string): string {
  if (CONFORMANCE_CASES.some((each) => each.name === name)) return name;
  const names = CONFORMANCE_CASES.map((each) => each.name).join(', ');
  throw new UsageError(`no case "${name}"; there are ${names}`);
}

function parseCount(option: string, text: string): number {
  if (/^[0-9]{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`${option} is a number, not "${text}"`);
}
