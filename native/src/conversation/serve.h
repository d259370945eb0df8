// Lines in, lines out, until the input ends: how a program serves the storage driver that runs it.
#pragma once

#include <functional>
#include <string>

namespace teu::conversation {

/// Answers lines of standard input on standard output, several at a time.
///
/// @param handle is called by many threads at once, with a line without its end; what it returns
/// has one. Ends the process: with status 0 when the input ends, 1 if a line is too long or reading
/// fails.
[[noreturn]] void serve(const std::function<std::string(const std::string&)>& handle);

}  // namespace teu::conversation
