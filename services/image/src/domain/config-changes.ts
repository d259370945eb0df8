import { posix } from 'node:path';
import { teuError } from '@teu/errors';
import { splitWords } from './instruction-words.js';
import { isObject, member, type JsonObject } from './strict-json.js';

const CHANGE_COUNT_MAX = 256;
const CHANGE_LENGTH_MAX = 64 * 1024;
const PORT_MAX = 65_535;
const SIGNAL = /^(?:SIG)?(?:[A-Z][A-Z0-9]*(?:[+-]\d{1,2})?|[1-9]\d?)$/;

/** Gives the config with one instruction carried out; `isCommandSet` says whether one before has set Cmd. */
type Instruction = (config: JsonObject, text: string, isCommandSet: boolean) => JsonObject;

/**
 * The run part of an image's config, changed as by instructions of a Dockerfile
 * (https://docs.docker.com/reference/dockerfile/). What no instruction names stays as it is.
 * @throws INVALID_ARGUMENT naming the instruction
 */
export function changeConfig(config: JsonObject, changes: readonly string[]): JsonObject {
  if (changes.length > CHANGE_COUNT_MAX) {
    throw refused('changes', `has more than ${CHANGE_COUNT_MAX} instructions`);
  }
  let isCommandSet = false;
  return changes.reduce((before, change, at) => {
    const field = `changes[${at}]`;
    const [, name = '', text = ''] = /^\s*([A-Za-z]+)(?:\s+(.*?))?\s*$/s.exec(change) ?? [];
    const word = name.toUpperCase();
    const instruction = Object.hasOwn(INSTRUCTIONS, word) ? INSTRUCTIONS[word] : undefined;
    if (instruction === undefined) {
      const allowed = Object.keys(INSTRUCTIONS).join(', ');
      throw refused(field, `"${name.slice(0, 32)}" cannot be changed; possible are ${allowed}`);
    }
    if (text === '') throw refused(field, `${word} says nothing`);
    if (change.length > CHANGE_LENGTH_MAX || change.includes('\0')) {
      throw refused(field, `${word} is too long or has a NUL`);
    }
    try {
      const after = instruction(before, text, isCommandSet);
      isCommandSet ||= word === 'CMD';
      return after;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw refused(field, `${word}: ${error.message}`);
    }
  }, config);
}

const INSTRUCTIONS: Readonly<Record<string, Instruction>> = {
  CMD: (config, text) => ({ ...config, Cmd: program(config, text) }),
  // The program's arguments belong to the entry point before.
  ENTRYPOINT: (config, text, isCommandSet) => ({
    ...config,
    Entrypoint: program(config, text),
    ...(isCommandSet ? {} : { Cmd: null }),
  }),
  ENV: (config, text) => {
    const pairs = keyValues(config, text);
    const changed = new Set(pairs.map(([name]) => name));
    const kept = new Map(environment(config).map((entry) => [nameOf(entry), entry]));
    for (const [name, value] of pairs) kept.set(name, `${name}=${value}`);
    if (changed.has('')) throw new SyntaxError('a name is empty');
    return { ...config, Env: [...kept.values()] };
  },
  EXPOSE: (config, text) => ({
    ...config,
    ExposedPorts: withKeys(member(config, 'ExposedPorts'), words(config, text).flatMap(ports)),
  }),
  LABEL: (config, text) => {
    const labels = member(config, 'Labels');
    const added = keyValues(config, text);
    if (added.some(([name]) => name === '')) throw new SyntaxError('a name is empty');
    return {
      ...config,
      Labels: fromPairs([...Object.entries(isObject(labels) ? labels : {}), ...added]),
    };
  },
  STOPSIGNAL: (config, text) => {
    const signal = oneWord(config, text);
    if (!SIGNAL.test(signal)) throw new SyntaxError('is no signal');
    return { ...config, StopSignal: signal };
  },
  USER: (config, text) => ({ ...config, User: oneWord(config, text) }),
  VOLUME: (config, text) => {
    const paths = list(text) ?? words(config, text);
    if (paths.some((path) => path === '')) throw new SyntaxError('a path is empty');
    return { ...config, Volumes: withKeys(member(config, 'Volumes'), paths) };
  },
  WORKDIR: (config, text) => {
    const present = member(config, 'WorkingDir');
    const from = typeof present === 'string' && present !== '' ? present : '/';
    return { ...config, WorkingDir: posix.resolve('/', from, oneWord(config, text)) };
  },
};

/** The exec form, a list, or the shell form, a text for the image's shell. */
function program(config: JsonObject, text: string): readonly string[] {
  const exec = list(text);
  if (exec !== undefined) return exec;
  const shell = member(config, 'Shell');
  const isList = Array.isArray(shell) && shell.every((word) => typeof word === 'string');
  return [...(isList && shell.length > 0 ? shell : ['/bin/sh', '-c']), text];
}

/** A list of texts; undefined if it is not one, as a Dockerfile then takes it for words. */
function list(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return isTexts ? (value as string[]) : undefined;
}

function words(config: JsonObject, text: string): string[] {
  const present = new Map(
    environment(config).map((entry) => [nameOf(entry), entry.slice(nameOf(entry).length + 1)]),
  );
  return splitWords(text, (name) => present.get(name));
}

function oneWord(config: JsonObject, text: string): string {
  const found = words(config, text);
  const [word] = found;
  if (found.length !== 1 || word === undefined) throw new SyntaxError('takes one word');
  return word;
}

/** "A=b C=d", or the older "A the rest". */
function keyValues(config: JsonObject, text: string): [string, string][] {
  const [first = ''] = text.split(/\s/, 1);
  if (!first.includes('=')) {
    const value = text.slice(first.length).trim();
    if (value === '') throw new SyntaxError('has a name without a value');
    return [[first, words(config, `"${value.replaceAll('"', '\\"')}"`).join(' ')]];
  }
  return words(config, text).map((word) => {
    if (!word.includes('=')) throw new SyntaxError(`"${word.slice(0, 64)}" has no "="`);
    return [nameOf(word), word.slice(nameOf(word).length + 1)];
  });
}

/** "80", "53/udp", "7000-7005/tcp". */
function ports(text: string): string[] {
  const [, from = '', to = from, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const [first, last] = [Number(from || NaN), Number(to || NaN)];
  if (!(first >= 1 && last >= first && last <= PORT_MAX)) {
    throw new SyntaxError(`"${text.slice(0, 64)}" is no port`);
  }
  return Array.from(
    { length: last - first + 1 },
    (_, at) => `${first + at}/${protocol.toLowerCase()}`,
  );
}

function environment(config: JsonObject): string[] {
  const present = member(config, 'Env');
  if (!Array.isArray(present)) return [];
  return present.filter((entry): entry is string => typeof entry === 'string');
}

const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? '';

function withKeys(present: unknown, added: readonly string[]): JsonObject {
  return fromPairs([
    ...Object.entries(isObject(present) ? present : {}),
    ...added.map((name): [string, object] => [name, {}]),
  ]);
}

/** In an order that does not depend on what came when. */
function fromPairs(pairs: readonly (readonly [string, unknown])[]): JsonObject {
  const merged = new Map(pairs);
  return Object.fromEntries([...merged].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function refused(field: string, text: string): Error {
  return teuError('INVALID_ARGUMENT', `${field}: ${text}`, { metadata: { field } });
}
