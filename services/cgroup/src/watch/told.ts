/** How often limits of a group were reached since it was made. */
export interface Counts {
  readonly pidsMax: number;
  readonly memoryMax: number;
  readonly memoryHigh: number;
  readonly oomKill: number;
}

export const NO_COUNTS: Counts = { pidsMax: 0, memoryMax: 0, memoryHigh: 0, oomKill: 0 };

/** One kill as the kernel reports it. Sizes in KiB; limits of 0 are not known. */
export interface OomReport {
  /** Number of the record in the kernel's log. */
  readonly sequence: number;
  readonly time: Date;
  /** "MEMCG" at a group's limit; "NONE", "CPUSET" or "MEMORY_POLICY" for the host's memory, or that of some nodes. */
  readonly constraint: string;
  /** Paths relative to the root of the memory hierarchy, with a slash before; empty for none. */
  readonly limitGroup: string;
  readonly taskGroup: string;
  readonly memory: { readonly usage: number; readonly limit: number };
  readonly memoryAndSwap: { readonly usage: number; readonly limit: number };
  readonly pid: number;
  readonly comm: string;
  readonly uid: number;
  readonly anonymous: number;
  readonly file: number;
  readonly shared: number;
  readonly score: number;
}

/** What teu-cgroup-watch says by itself (native/src/watch/output.h). */
export type Told =
  | { readonly kind: 'kmsg'; readonly newest: number | undefined }
  | {
      readonly kind: 'counts';
      readonly key: number;
      readonly counts: Counts;
      readonly reached: boolean;
    }
  | { readonly kind: 'pressure'; readonly key: number; readonly resource: string }
  | { readonly kind: 'gone'; readonly key: number }
  | { readonly kind: 'oom'; readonly report: OomReport }
  | { readonly kind: 'lost'; readonly count: number }
  | { readonly kind: 'unheard' };

/** Reads a line without its number; undefined for one that is not understood. */
export function parseTold(words: readonly string[]): Told | undefined {
  const [kind, first = '', second = ''] = words;
  switch (kind) {
    case 'kmsg':
      return { kind, newest: first === 'closed' ? undefined : Number(first) };
    case 'counts':
      return parseCounts(Number(first), fieldsOf(words.slice(2)));
    case 'pressure':
      return { kind, key: Number(first), resource: second };
    case 'gone':
      return { kind, key: Number(first) };
    case 'oom':
      return { kind, report: parseReport(fieldsOf(words.slice(1))) };
    case 'unheard':
      return { kind };
    case 'lost':
      return { kind, count: Number(first) };
    default:
      return undefined;
  }
}

type Fields = ReadonlyMap<string, string>;

function fieldsOf(words: readonly string[]): Fields {
  return new Map(
    words.map((word) => {
      const sign = word.indexOf('=');
      return [word.slice(0, sign), word.slice(sign + 1)];
    }),
  );
}

const numberIn = (fields: Fields, name: string): number => Number(fields.get(name) ?? 0);

/** Bytes that are no UTF-8 become U+FFFD. */
function textIn(fields: Fields, name: string): string {
  const bytes = (fields.get(name) ?? '').replace(/%([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function parseCounts(key: number, fields: Fields): Told {
  const counts = {
    pidsMax: numberIn(fields, 'pids.max'),
    memoryMax: numberIn(fields, 'memory.max'),
    memoryHigh: numberIn(fields, 'memory.high'),
    oomKill: numberIn(fields, 'oom_kill'),
  };
  return { kind: 'counts', key, counts, reached: fields.get('reached') === '1' };
}

function parseReport(fields: Fields): OomReport {
  const limited = (name: string): OomReport['memory'] => ({
    usage: numberIn(fields, `${name}_usage`),
    limit: numberIn(fields, `${name}_limit`),
  });
  return {
    sequence: numberIn(fields, 'sequence'),
    time: new Date(numberIn(fields, 'time') / 1000),
    constraint: textIn(fields, 'constraint'),
    limitGroup: textIn(fields, 'limit_group'),
    taskGroup: textIn(fields, 'task_group'),
    memory: limited('memory'),
    memoryAndSwap: limited('memsw'),
    pid: numberIn(fields, 'pid'),
    comm: textIn(fields, 'comm'),
    uid: numberIn(fields, 'uid'),
    anonymous: numberIn(fields, 'anonymous'),
    file: numberIn(fields, 'file'),
    shared: numberIn(fields, 'shared'),
    score: numberIn(fields, 'score'),
  };
}
