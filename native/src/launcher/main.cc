// bin/teu: hands a command to the resident process of `teu up`, which runs the same client code
// that Node would need 60 ms and more to load; without one it runs the client in Node.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "connection.h"
#include "fallback.h"
#include "session.h"

namespace {

constexpr const char* kDefaultRunDirectory = "/run/teu";
constexpr int kForwardedSignals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                     SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};

int signalPipe[2];

void noteSignal(int signal) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(signal);
  // The pipe holds thousands; a signal too many is no loss.
  if (write(signalPipe[1], &byte, 1) < 0) {
    errno = saved;
  }
  errno = saved;
}

// Makes signals readable from a pipe. They must interrupt a blocked write, hence no SA_RESTART.
bool catchSignals() {
  if (pipe2(signalPipe, O_CLOEXEC | O_NONBLOCK) != 0) {
    return false;
  }
  struct sigaction action {};
  action.sa_handler = noteSignal;
  for (const int signal : kForwardedSignals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {  // nohup stays nohup
      sigaction(signal, &action, nullptr);
    }
  }
  return true;
}

void restoreSignals() {
  for (const int signal : kForwardedSignals) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    if (now.sa_handler == noteSignal) {
      std::signal(signal, SIG_DFL);
    }
  }
}

// A caller may leave standard descriptors closed; the next one opened, the socket, would take their
// number and be read as standard input.
void fillStandardDescriptors() {
  int fd = 0;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  close(fd);
}

// Commands that start or end the resident can't run inside it.
bool needsOwnProcess(const char* command) {
  return command != nullptr && (strcmp(command, "up") == 0 || strcmp(command, "down") == 0);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace teu::launcher;
  fillStandardDescriptors();
  if (needsOwnProcess(argc > 1 ? argv[1] : nullptr)) {
    return runInNode(argv);
  }
  const char* runDirectory = getenv("TEU_RUN_DIR");
  const int socket = connectResident(
      runDirectory != nullptr && runDirectory[0] != '\0' ? runDirectory : kDefaultRunDirectory);
  if (socket == -EACCES) {
    fputs("teu: the control socket belongs to another user\n     run teu as root\n", stderr);
    return kEngineFailure;
  }
  if (socket < 0 || !catchSignals()) {
    return runInNode(argv);
  }
  if (!sendHello(socket, argv, environ)) {
    close(socket);
    restoreSignals();
    return runInNode(argv);
  }
  const SessionEnd end = Session(socket, signalPipe[0]).run();
  close(socket);
  if (end.runLocally) {
    restoreSignals();
    return runInNode(argv);
  }
  return end.exitCode;
}
