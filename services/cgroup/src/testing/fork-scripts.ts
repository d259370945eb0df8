// In Python: a shell ends where it cannot fork, and then was not killed by whom the test says.
const python = (program: string): string => `exec /usr/bin/python3 -c '${program}'`;

/** A script that makes children for ever, which make children; none ends by itself. */
export const FORK_BOMB = python(`
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.01)
`);

/** A script of two that fork as fast as they can; what they make parts from its parent and lives for milliseconds. */
export const STORM = python(`
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.fork()
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            os.fork()
            time.sleep(0.02)
            os._exit(0)
    except OSError:
        if os.getsid(0) == os.getpid():
            os._exit(0)
`);
