// teu-fuzz: feeds changed inputs to one target, keeps what takes new ways through the code, and
// stops at the first crash, with the input on disk. See README.md.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/coverage.h"
#include "fuzz/targets.h"
#include "sys/unique_fd.h"

namespace teu::fuzz {
namespace {

constexpr char kUsage[] =
    "usage: teu-fuzz TARGET SECONDS SEED CRASH_FILE CORPUS_DIRECTORY\n"
    "       teu-fuzz TARGET replay FILE\n";
constexpr unsigned kHangSeconds = 20;

using Clock = std::chrono::steady_clock;

Input readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Input(std::istreambuf_iterator<char>(file), {});
}

const Target* findTarget(std::string_view name) {
  for (const Target& target : targets()) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

/// A target that writes must not be able to reach anything of the host, should it be wrong.
bool enterScratch() {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("fuzz", "/mnt", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64m") != 0 ||
      chdir("/mnt") != 0 || mkdir("dev", 0755) != 0 || mkdir("dev/shm", 0755) != 0 ||
      chroot(".") != 0) {
    std::fprintf(stderr, "the scratch tree cannot be entered: %s\n", strerror(errno));
    return false;
  }
  return true;
}

/// The input that runs is in a file before it runs, so that it is there whatever happens.
void keepInput(int fd, const Input& input) {
  (void)!pwrite(fd, input.data(), input.size(), 0);
  (void)!ftruncate(fd, static_cast<off_t>(input.size()));
}

int fuzz(const Target& target, std::vector<Input> corpus, int crashFd, double seconds,
         std::uint64_t seed) {
  Mutator mutator(seed);
  std::size_t runs = 0;
  const auto one = [&](const Input& input) {
    keepInput(crashFd, input);
    alarm(kHangSeconds);
    beginRun();
    target.run(input);
    ++runs;
    return foundNew();
  };
  for (const Input& input : corpus) (void)one(input);
  const std::size_t given = corpus.size();
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    const Input& input = corpus[mutator.below(corpus.size())];
    const Input& other = corpus[mutator.below(corpus.size())];
    Input changed = target.format == Format::kText ? mutator.mutateText(input, other)
                                                   : mutator.mutate(input, other);
    if (one(changed)) corpus.push_back(std::move(changed));
  }
  std::printf("{\"target\":\"%s\",\"runs\":%zu,\"given\":%zu,\"kept\":%zu,\"edges\":%zu}\n",
              std::string(target.name).c_str(), runs, given, corpus.size() - given, seenCount());
  return 0;
}

std::vector<Input> readCorpus(const char* directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& item : std::filesystem::directory_iterator(directory))
    paths.push_back(item.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Input> corpus;
  for (const auto& path : paths) corpus.push_back(readFile(path));
  if (corpus.empty()) corpus.emplace_back(1024);
  return corpus;
}

int replay(const Target& target, const Input& input) {
  if (target.name == "writer" && !enterScratch()) return 2;
  target.run(input);
  std::printf("no crash\n");
  return 0;
}

int run(int count, char** arguments) {
  const Target* target = count > 1 ? findTarget(arguments[1]) : nullptr;
  if (target != nullptr && count == 4 && std::string_view(arguments[2]) == "replay") {
    return replay(*target, readFile(arguments[3]));
  }
  if (target == nullptr || count != 6) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const double seconds = std::strtod(arguments[2], nullptr);
  const std::uint64_t seed = std::strtoull(arguments[3], nullptr, 10);
  const UniqueFd crash(open(arguments[4], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!crash) {
    std::perror(arguments[4]);
    return 2;
  }
  std::vector<Input> corpus = readCorpus(arguments[5]);
  if (target->name == "writer" && !enterScratch()) return 2;
  return fuzz(*target, std::move(corpus), crash.get(), seconds, seed);
}

}  // namespace
}  // namespace teu::fuzz

int main(int count, char** arguments) {
  return teu::fuzz::run(count, arguments);
}
