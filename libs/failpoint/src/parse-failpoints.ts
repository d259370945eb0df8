/** What happens when an armed point is passed. */
export type FailpointAction =
  /** The process ends with code 70, without its exit handlers having done anything for the caller. */
  | { kind: 'exit' }
  /** The process gets SIGKILL: what a power cut leaves of it, but for the page cache. */
  | { kind: 'kill' }
  /** The point throws. */
  | { kind: 'error' }
  /** The whole process stands still. */
  | { kind: 'delay'; ms: number };

/** A point that is armed. */
export interface ArmedFailpoint {
  name: string;
  action: FailpointAction;
  /** From which passage on it acts; 1 is the first. */
  from: number;
}

const ENTRY = /^([a-z0-9]+(?:[.-][a-z0-9]+)*)=(exit|kill|error|delay:(\d{1,6}))(?:@(\d{1,9}))?$/;

/**
 * Reads TEU_FAILPOINTS: entries `name=action` or `name=action@N` (from the N-th passage on),
 * separated by commas; actions are exit, kill, error, `delay:<ms>`.
 * @throws Error naming the entry that it does not understand
 */
export function parseFailpoints(text: string): ArmedFailpoint[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseEntry);
}

function parseEntry(entry: string): ArmedFailpoint {
  const [, name, action, ms, from] = ENTRY.exec(entry) ?? [];
  if (name === undefined || action === undefined) {
    throw new Error(`TEU_FAILPOINTS: "${entry}" is not name=exit|kill|error|delay:MS[@N]`);
  }
  return { name, action: actionOf(action, ms), from: from === undefined ? 1 : Number(from) };
}

function actionOf(action: string, ms: string | undefined): FailpointAction {
  switch (action) {
    case 'exit':
    case 'kill':
    case 'error':
      return { kind: action };
    default:
      return { kind: 'delay', ms: Number(ms) };
  }
}
