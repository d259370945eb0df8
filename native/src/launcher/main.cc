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

int signal_pipe[2];

void note_signal(int signal) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(signal);
  // The pipe holds thousands; a signal too many is no loss.
  if (write(signal_pipe[1], &byte, 1) < 0) {
    errno = saved;
  }
  errno = saved;
}

// Makes signals readable from a pipe. They must interrupt a blocked write, hence no SA_RESTART.
bool catch_signals() {
  if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
    return false;
  }
  struct sigaction action {};
  action.sa_handler = note_signal;
  for (const int signal : kForwardedSignals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {  // nohup stays nohup
      sigaction(signal, &action, nullptr);
    }
  }
  return true;
}

void restore_signals() {
  for (const int signal : kForwardedSignals) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    if (now.sa_handler == note_signal) {
      std::signal(signal, SIG_DFL);
    }
  }
}

// Commands that start or end the resident can't run inside it.
bool needs_own_process(const char* command) {
  return command != nullptr && (strcmp(command, "up") == 0 || strcmp(command, "down") == 0);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace teu::launcher;
  if (needs_own_process(argc > 1 ? argv[1] : nullptr)) {
    return run_in_node(argv);
  }
  const char* run_directory = getenv("TEU_RUN_DIR");
  const int socket = connect_resident(
      run_directory != nullptr && run_directory[0] != '\0' ? run_directory : kDefaultRunDirectory);
  if (socket == -EACCES) {
    fputs("teu: the control socket belongs to another user\n     run teu as root\n", stderr);
    return kEngineFailure;
  }
  if (socket < 0 || !catch_signals()) {
    return run_in_node(argv);
  }
  if (!send_hello(socket, argv, environ)) {
    close(socket);
    restore_signals();
    return run_in_node(argv);
  }
  const SessionEnd end = Session(socket, signal_pipe[0]).run();
  close(socket);
  if (end.run_locally) {
    restore_signals();
    return run_in_node(argv);
  }
  return end.exit_code;
}
