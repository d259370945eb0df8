// Debian packages that the repository needs, each with the reason.
export const debianPackages = [
  { name: 'g++', reason: 'compiles the native programs' },
  { name: 'make', reason: 'builds the native programs' },
  { name: 'libzstd-dev', reason: 'teu-layer unpacks zstd layers' },
  { name: 'libisal-dev', reason: 'teu-layer unpacks gzip layers' },
  { name: 'libssl-dev', reason: 'teu-layer computes digests' },
  { name: 'nats-server', reason: 'carries events between services' },
  { name: 'busybox-static', reason: 'is the first image' },
  { name: 'mmdebstrap', reason: 'makes the Debian image of the tests' },
  { name: 'e2fsprogs', reason: 'makes the disks that tests take the power from' },
  { name: 'skopeo', reason: 'writes images of another make for tests' },
  {
    name: 'golang-github-containers-common',
    reason: 'has a system call filter to compare ours with',
  },
  { name: 'umoci', reason: 'writes images of another make for tests' },
  { name: 'python3-grpcio', reason: 'runs the Python client' },
  { name: 'python3-protobuf', reason: 'runs the Python client' },
  { name: 'protobuf-compiler', reason: 'generates the Python client’s code' },
  { name: 'libprotobuf-dev', reason: 'has the protocols that every other one imports' },
  { name: 'protobuf-compiler-grpc', reason: 'generates the Python client’s code' },
  { name: 'clang-format', reason: 'checks the layout of native code' },
];
