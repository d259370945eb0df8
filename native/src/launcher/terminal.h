// The terminal that the launcher was started from.
#pragma once

#include <cstdint>

namespace teu::launcher {

// Size of a terminal in characters; zeros when there is none.
struct TerminalSize {
  uint16_t rows;
  uint16_t columns;
};

// Size of the terminal behind standard output, input or error, whichever is one.
TerminalSize terminalSize();

// Puts the terminal behind standard input into raw mode, or back to what it was before.
void setRawMode(bool on);

}  // namespace teu::launcher
