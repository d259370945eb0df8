import type { Reason } from '@teu/errors';

/** What must come back. */
export interface Refusal {
  reason: Reason;
  /** Code of teu-layer. */
  code?: string;
  /** Name of the entry to blame, as the error has it. */
  entry?: string;
  /** What the message says. */
  text?: RegExp;
}

/** An archive that is harmless as it is read: it becomes an image, and a look at its tree prints this. */
export interface Harmless {
  /** A shell command in the tree of the image. */
  look: string;
  sees: string;
}

/** One row of the corpus. */
export interface HostileCase {
  what: string;
  /** Row of the threat model that it belongs to, or several. */
  make: () => Buffer;
  outcome: Refusal | Harmless;
}

export const refused = (what: string, make: () => Buffer, outcome: Refusal): HostileCase => ({
  ...{ what, make, outcome },
});
export const harmless = (
  what: string,
  make: () => Buffer,
  look: string,
  sees: string,
): HostileCase => ({ what, make, outcome: { look, sees } });
