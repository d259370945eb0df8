import { buffer } from 'node:stream/consumers';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack, type Header } from 'tar-stream';
import { type Engine } from '../e2e/engine.js';

/** A member of a layer: tar's header, and the content of a file. */
export type Entry = Partial<Header> & { name: string; content?: string | Buffer };

const programs = ['sh', 'cat', 'echo', 'id', 'ls', 'mknod', 'mount', 'sleep', 'test', 'true'];
const directories = ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp'];

export const link = (name: string, linkname: string): Entry => ({
  name,
  linkname,
  type: 'symlink',
});

export const file = (name: string, content: string | Buffer, mode = 0o644): Entry => ({
  name,
  content,
  mode,
});

/** A root file system of busybox, in which the entries take the place of what has their name. */
export async function rootfsTar(entries: readonly Entry[]): Promise<Buffer> {
  const replaced = new Set(entries.map(({ name }) => name));
  const base: Entry[] = [
    ...directories.map((name): Entry => ({ name, type: 'directory', mode: 0o755 })),
    file('bin/busybox', readFileSync('/usr/bin/busybox'), 0o755),
    ...programs.map((name) => link(`bin/${name}`, 'busybox')),
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
  ];
  // What lies in a replaced directory is not there either.
  const isReplaced = ({ name }: Entry) =>
    [...replaced].some((other) => `${name}/`.startsWith(`${other}/`));
  const tar = pack();
  for (const { content, ...headers } of [
    ...base.filter((entry) => !isReplaced(entry)),
    ...entries,
  ]) {
    tar.entry(headers, content ?? '');
  }
  tar.finalize();
  return buffer(tar);
}

/** Loads a root file system with these entries; answers what `teu load` did. */
export async function load(engine: Engine, name: string, entries: readonly Entry[]) {
  const path = join(engine.dataDir, '..', `${name}.tar`);
  writeFileSync(path, await rootfsTar(entries));
  return engine.teu(['load', '-i', path, '--name', name]);
}

/** The same for an image that must be accepted. */
export async function loadAccepted(engine: Engine, name: string, entries: readonly Entry[] = []) {
  const { code, stderr } = await load(engine, name, entries);
  if (code !== 0) throw new Error(`load: ${stderr}`);
}
