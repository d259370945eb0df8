#include "terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <initializer_list>

namespace teu::launcher {

namespace {
termios savedMode;
bool raw = false;
}  // namespace

TerminalSize terminalSize() {
  for (const int descriptor : {STDOUT_FILENO, STDIN_FILENO, STDERR_FILENO}) {
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0) {
      return {size.ws_row, size.ws_col};
    }
  }
  return {0, 0};
}

void setRawMode(bool on) {
  if (on == raw) {
    return;
  }
  if (!on) {
    tcsetattr(STDIN_FILENO, TCSADRAIN, &savedMode);
    raw = false;
    return;
  }
  if (tcgetattr(STDIN_FILENO, &savedMode) != 0) {
    return;
  }
  termios mode = savedMode;
  cfmakeraw(&mode);
  raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0;
}

}  // namespace teu::launcher
