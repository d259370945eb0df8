// Running the command-line client in a Node process of its own, when there is no resident.
#pragma once

namespace teu::launcher {

// Replaces this program by Node with the bundled client. Returns only on failure, with the exit
// code to end with; the reason is on standard error.
int runInNode(char** argv);

}  // namespace teu::launcher
