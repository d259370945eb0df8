#include <string>
#include <vector>

#include "../asan/expect.h"
#include "watch/hierarchies.h"
#include "watch/options.h"
#include "watch/output.h"

using namespace teu::watch;

namespace {

std::optional<Options> parse(std::vector<std::string> arguments) {
  std::vector<char*> pointers{nullptr};
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  return parseOptions(static_cast<int>(pointers.size()), pointers.data());
}

}  // namespace

void testOptions() {
  const auto all = parse({"memory=/a", "pids=/b", "unified=/c d", "kmsg=17",
                          "pressure=400000,0,2000000", "level=medium"});
  expectThat(all && all->memory == "/a" && all->pids == "/b" && all->unified == "/c d" &&
                 all->kmsgFrom == 17U && all->pressure.waited[0] == 400000 &&
                 all->pressure.waited[2] == 2000000 && all->pressure.level == "medium",
             "all options");
  expectThat(parse({})->kmsgFrom == 0U, "what is not said");
  expectThat(!parse({"kmsg=off"})->kmsgFrom, "no kernel log");
  for (const char* wrong : {"", "=", "x", "x=y", "memory=", "memory=a", "kmsg=", "kmsg=-1",
                            "pressure=1", "pressure=1,2", "pressure=1,2,3,4",
                            "pressure=1,2,2000001", "pressure=a,b,c", "level=", "level=high"}) {
    expectThat(!parse({wrong}), wrong);
  }
  for (const char* path : {"a", "teu/0123/ab", "a/.b", "a/...", "a,b=c"})
    expectThat(isGroupPath(path), path);
  for (const char* path : {"", "/a", "a/", "a//b", "..", "a/..", "../a", "a b", "a\nb", "\x7f"}) {
    expectThat(!isGroupPath(path), path);
  }
  expectThat(!isGroupPath(std::string(4000, 'a')), "a path that is too long");
  expectThat(valueOf("low 1\nmax 23\nmaximum 4\n", "max") == 23U, "a value of a file");
  expectThat(!valueOf("maximum 4\nmax x\n", "max") && !valueOf("", "max"), "no value");
}

void testOutput() {
  expectThat(encodeWord("a b%=\n\xff~") == "a%20b%25%3D%0A%FF~", "what is not plain");
  const Counts counts{.pidsMax = 1, .memoryMax = 2, .memoryHigh = 3, .oomKill = 4};
  expectThat(countsLine(9, counts, true) ==
                 "0 counts 9 pids.max=1 memory.max=2 memory.high=3 oom_kill=4 reached=1\n",
             "counters");
  OomReport report;
  report.constraint = "MEMCG";
  report.comm = "a b";
  report.scoreAdjustment = -1;
  const std::string line = oomLine(report, 77);
  expectThat(line.starts_with("0 oom sequence=0 time=77 constraint=MEMCG limit_group= "), "a kill");
  expectThat(line.find(" comm=a%20b ") != std::string::npos && line.ends_with(" score=-1\n"),
             "its name");
}
