import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Looks for SECONDS at every process that appears beside it, in every way that /proc and ptrace(2)
 * offer, and prints what it got hold of that is not of its own image: a root, a program to write to, a
 * descriptor, a process held still.
 */
const source = String.raw`
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char text[64], found[256];

static const char *of(int pid, const char *name) {
  snprintf(text, sizeof text, "/proc/%d/%s", pid, name);
  return text;
}

static int leads(int pid, const char *name) {
  long size = readlink(of(pid, name), found, sizeof found - 1);
  found[size > 0 ? size : 0] = 0;
  return size > 0;
}

static int opens(int pid, const char *name, int flags) {
  int fd = open(of(pid, name), flags);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

static int isOurs(const char *path) { return strncmp(path, "/bin/", 5) == 0; }

static void look(int pid, const char *canary) {
  char name[300];
  snprintf(name, sizeof name, "root%s", canary);
  if (opens(pid, name, O_RDONLY)) printf("root of the host at %d\n", pid);
  if (leads(pid, "exe") && !isOurs(found)) printf("program %s\n", found);
  if (opens(pid, "exe", O_WRONLY)) printf("program can be written\n");
  if (leads(pid, "cwd") && strcmp(found, "/") != 0) printf("directory %s\n", found);
  for (int fd = 3; fd < 64; ++fd) {
    snprintf(name, sizeof name, "fd/%d", fd);
    if (leads(pid, name)) printf("descriptor %s\n", found);
  }
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0) return;
  int status;
  ptrace(PTRACE_INTERRUPT, pid, 0, 0);
  waitpid(pid, &status, __WALL);
  if (WIFSTOPPED(status) && leads(pid, "exe") && !isOurs(found)) printf("held %s\n", found);
  ptrace(PTRACE_DETACH, pid, 0, 0);
}

int main(int argc, char **argv) {
  time_t end = time(NULL) + atoi(argv[1]);
  long seen = 0;
  while (time(NULL) < end) {
    DIR *all = opendir("/proc");
    struct dirent *entry;
    while ((entry = readdir(all)) != NULL) {
      int pid = atoi(entry->d_name);
      if (pid <= 1 || pid == getpid()) continue;
      ++seen;
      look(pid, argv[2]);
    }
    closedir(all);
  }
  printf("seen %s\n", seen > 100 ? "many" : "few");
  return argc > 3;
}
`;

/** Builds it as a static program. */
export function buildRaceProgram(directory: string): Buffer {
  const program = join(directory, 'race');
  writeFileSync(`${program}.c`, source);
  const args = ['-O1', '-static', '-o', program, `${program}.c`];
  const { status, stderr } = spawnSync('gcc', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc: ${stderr}`);
  return readFileSync(program);
}
