import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A program that makes the system calls that its arguments name and prints each result: "n" for the 64-bit entry, "i" for
 * the 32-bit one (int 0x80), then number and arguments, for example "n41:38:2:0". Prints -errno or 0.
 */
const SOURCE = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static long enter64(long n, long a, long b, long c) {
  long r;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return r;
}
static long enter32(long n, long a, long b, long c) {
  int r;
  __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "r8", "r9", "r10", "r11", "memory");
  return r;
}
int main(int argc, char** argv) {
  for (int at = 1; at < argc; ++at) {
    long v[4] = {0, 0, 0, 0};
    char* text = argv[at] + 1;
    for (int i = 0; i < 4 && text; ++i) {
      v[i] = (long)strtoull(text, NULL, 0);
      text = strchr(text, ':');
      if (text) ++text;
    }
    long r = argv[at][0] == 'i' ? enter32(v[0], v[1], v[2], v[3]) : enter64(v[0], v[1], v[2], v[3]);
    printf("%ld\\n", r < 0 && r > -4096 ? r : 0);
    fflush(stdout);
  }
  return 0;
}
`;

/** Builds the probe as a static program in a directory of the container's root. */
export function buildSyscallProbe(directory: string): void {
  const source = join(directory, 'probe.c');
  writeFileSync(source, SOURCE);
  const { status, stderr } = spawnSync(
    'gcc',
    ['-O1', '-static', '-o', join(directory, 'probe'), source],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`gcc: ${stderr}`);
}
