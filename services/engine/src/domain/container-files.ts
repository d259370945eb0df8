import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { NetworkMode, type Container } from '@teu/proto/engine';
import type { SpecMount } from '@teu/proto/executor';
import { containerHostname, requireSpec } from './executor-spec.js';

const LOOPBACK_HOSTS =
  '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' +
  'fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n';

const FILES = ['hostname', 'hosts', 'resolv.conf'] as const;

/** Whose files they are. */
export interface FilesOwner {
  id: string;
  hostname: string;
  /** Whether the container shares the network of the host, and so the names that the host knows. */
  sharesNetwork: boolean;
}

/** The owner that a container is. */
export function filesOwner(container: Container): FilesOwner {
  const sharesNetwork = requireSpec(container).network === NetworkMode.NETWORK_MODE_HOST;
  return { id: container.id, hostname: containerHostname(container), sharesNetwork };
}

/** Files of a container that the engine writes and the container may change: who it is and whom it knows. */
export interface ContainerFiles {
  /**
   * Writes them anew and gives their binds. Not on disk when it returns: every start writes them again. Synchronous,
   * since three small files take less time than a way through the thread pool.
   */
  write(owner: FilesOwner): SpecMount[];
  /** Deletes them. No error if they are gone. */
  remove(containerId: string): Promise<void>;
}

/**
 * Makes the writer.
 * @param directory where each container gets a directory named by its id.
 */
export function createContainerFiles(directory: string, hostEtc = '/etc'): ContainerFiles {
  const host = new HostFiles(hostEtc);
  return {
    write: ({ id, hostname, sharesNetwork }) => {
      const own = join(directory, id);
      const texts: Record<(typeof FILES)[number], string> = {
        hostname: `${hostname}\n`,
        hosts: sharesNetwork ? host.read('hosts') : `${LOOPBACK_HOSTS}127.0.1.1\t${hostname}\n`,
        'resolv.conf': host.read('resolv.conf'),
      };
      mkdirSync(own, { recursive: true, mode: 0o700 });
      return FILES.map((file) => {
        const path = join(own, file);
        writeFileSync(path, texts[file]);
        // Whatever the umask of the service: users of the container read them.
        chmodSync(path, 0o644);
        return bind(path, `/etc/${file}`);
      });
    },
    remove: (containerId) => removeFiles(join(directory, containerId)),
  };
}

/** The files are known, which takes less than a walk over the directory; in threads, as a disk may be behind it. */
async function removeFiles(own: string): Promise<void> {
  try {
    await Promise.all(FILES.map((file) => unlink(join(own, file))));
    await rmdir(own);
  } catch {
    // Not all of them are there, or others too.
    await rm(own, { recursive: true, force: true });
  }
}

function bind(source: string, destination: string): SpecMount {
  return { destination, type: 'bind', source, options: ['bind', 'rprivate'] };
}

/** Files of the host, read again only when they have changed. */
class HostFiles {
  readonly #directory: string;
  readonly #known = new Map<string, { stamp: string; text: string }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Content of a file; empty if it can't be read. */
  read(name: string): string {
    const path = join(this.#directory, name);
    try {
      const { ino, size, mtimeMs } = statSync(path);
      const stamp = `${ino} ${size} ${mtimeMs}`;
      const known = this.#known.get(name);
      if (known?.stamp === stamp) return known.text;
      const text = readFileSync(path, 'utf8');
      this.#known.set(name, { stamp, text });
      return text;
    } catch {
      return '';
    }
  }
}
