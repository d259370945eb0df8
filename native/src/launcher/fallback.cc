#include "fallback.h"

#include <errno.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "protocol.h"

namespace teu::launcher {

namespace {

constexpr const char* kRootMarker = "nx.json";
constexpr const char* kNode = "node_modules/node/bin/node";
constexpr const char* kClient = "clients/cli/dist/main.mjs";
constexpr const char* kCompileCache = "clients/cli/dist/compile-cache";

// Writes directory/name into path. Returns false if it doesn't fit.
bool join(char (&path)[PATH_MAX], const char* directory, const char* name) {
  const int length = snprintf(path, sizeof path, "%s/%s", directory, name);
  return length > 0 && static_cast<size_t>(length) < sizeof path;
}

// Finds the installation: the nearest directory above this very program that holds the marker file.
bool findInstallRoot(char (&root)[PATH_MAX]) {
  const ssize_t length = readlink("/proc/self/exe", root, sizeof root - 1);
  if (length <= 0) {
    return false;
  }
  root[length] = '\0';
  char marker[PATH_MAX];
  for (char* slash = strrchr(root, '/'); slash != nullptr; slash = strrchr(root, '/')) {
    *slash = '\0';
    if (join(marker, root, kRootMarker) && access(marker, F_OK) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

int runInNode(char** argv) {
  char root[PATH_MAX];
  if (!findInstallRoot(root)) {
    fputs("teu: can't find the installation that this program belongs to (no nx.json above it)\n",
          stderr);
    return kEngineFailure;
  }
  char node[PATH_MAX];
  char client[PATH_MAX];
  char cache[PATH_MAX];
  if (!join(node, root, kNode) || !join(client, root, kClient) ||
      !join(cache, root, kCompileCache)) {
    fputs("teu: the path of the installation is too long\n", stderr);
    return kEngineFailure;
  }

  size_t count = 0;
  while (argv[count] != nullptr) {
    count++;
  }
  // node:sqlite, which locks the run directory, still warns that it is new.
  char quiet[] = "--disable-warning=ExperimentalWarning";
  auto** arguments = static_cast<char**>(calloc(count + 4, sizeof(char*)));
  if (arguments == nullptr) {
    return kEngineFailure;
  }
  arguments[0] = node;
  arguments[1] = quiet;
  arguments[2] = client;
  for (size_t i = 1; i < count; i++) {
    arguments[i + 2] = argv[i];
  }
  // Reading a bundle of certificates takes Node 15 ms, and the client makes no TLS connection.
  unsetenv("NODE_EXTRA_CA_CERTS");
  setenv("NODE_COMPILE_CACHE", cache, 0);
  execv(node, arguments);
  fprintf(stderr, "teu: can't run %s: %s\n     set it up with: cd %s && npm start\n", node,
          strerror(errno), root);
  free(arguments);
  return kEngineFailure;
}

}  // namespace teu::launcher
