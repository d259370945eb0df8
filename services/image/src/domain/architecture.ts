import process from 'node:process';

const GO_NAMES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
};

/** This machine's architecture as images name it (GOARCH). */
export const hostArchitecture: string = GO_NAMES[process.arch] ?? process.arch;
