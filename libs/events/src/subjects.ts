/** The one JetStream stream; it holds the facts of all services of all nodes. */
export const STREAM_NAME = 'TEU';
/** All events of all nodes. */
export const ALL_EVENTS = 'teu.v1.>';

/** What events are about. Each kind is published by one sort of service only. */
export const EVENT_KINDS = ['container', 'image', 'snapshot', 'driver', 'base', 'cgroup'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Subject of one event: `teu.v1.<node>.<kind>.<verb>`, the verb in the past tense. */
export function eventSubject(node: string, kind: EventKind, verb: string): string {
  return `teu.v1.${subjectToken(node)}.${kind}.${subjectToken(verb)}`;
}

/** All events of one kind, of one node or of all. */
export function kindSubject(kind: EventKind, node?: string): string {
  return `teu.v1.${node === undefined ? '*' : subjectToken(node)}.${kind}.*`;
}

/**
 * Turns a host name or a word into one token of a subject: dots, blanks and wildcards would change
 * the subject's meaning (docs.nats.io, "Subject-Based Messaging").
 */
export function subjectToken(text: string): string {
  const token = text.replaceAll(/[^A-Za-z0-9_-]/g, '-');
  return token === '' ? '-' : token;
}
