#pragma once

#include <cstdio>
#include <cstdlib>

/// Ends the program with a message; the vitest wrapper shows it.
inline void expectThat(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "not true: %s\n", what);
  std::exit(1);
}
