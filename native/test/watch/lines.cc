#include <string>

#include "../asan/expect.h"
#include "watch/oom_lines.h"

using namespace teu::watch;

namespace {

constexpr const char* kKill =
    "Memory cgroup out of memory: Killed process 26716 (tail) total-vm:18676kB, anon-rss:15872kB, "
    "file-rss:1516kB, shmem-rss:4kB, UID:1000 pgtables:76kB oom_score_adj:-17";
constexpr const char* kVictim =
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/t,"
    "task_memcg=/t/i,task=tail,pid=26716,uid=1000";

void testUsage() {
  const auto memory = parseUsage("memory: usage 16384kB, limit 16392kB, failcnt 12");
  expectThat(
      memory && memory->what == "memory" && memory->usageKib == 16384 && memory->limitKib == 16392,
      "a line of usage");
  expectThat(parseUsage("memory+swap: usage 1kB, limit 9007199254740988kB, failcnt 0")->what ==
                 "memory+swap",
             "memory and swap together");
  expectThat(parseUsage("swap: usage 0kB, limit 2kB, failcnt 0")->what == "swap", "swap");
  for (const char* wrong :
       {"", "memory", "memory: usage kB, limit 1kB, failcnt 0",
        "kmem: usage 1kB, limit 1kB, failcnt 0", "memory: usage 1kB, limit 1kB, failcnt 0 ",
        "memory: usage -1kB, limit 1kB, failcnt 0", "memory: usage 1kB, limit 1kB",
        "a memory: usage 1kB, limit 1kB, failcnt 0",
        "memory: usage 99999999999999999999kB, limit 1kB, failcnt 0"}) {
    expectThat(!parseUsage(wrong), wrong);
  }
}

void testKill() {
  const auto kill = parseKill(kKill);
  expectThat(kill && kill->inGroup && kill->pid == 26716 && kill->comm == "tail", "a kill");
  expectThat(kill->anonymousKib == 15872 && kill->fileKib == 1516 && kill->sharedKib == 4 &&
                 kill->uid == 1000 && kill->scoreAdjustment == -17,
             "its figures");
  const std::string text = kKill;
  const std::string host = text.substr(text.find("out of"));
  expectThat(!parseKill(host), "a message of another case");
  const auto ofHost = parseKill("O" + host.substr(1));
  expectThat(ofHost && !ofHost->inGroup, "a kill of the host");
  for (std::size_t end = 0; end < text.size(); ++end) {
    // With fewer digits the last number is another one; all else is cut off in the middle.
    expectThat(!parseKill(text.substr(0, end)) || end >= text.size() - 1, "a kill that is cut off");
  }
  expectThat(!parseKill(text + " "), "a kill with something behind");
  const auto wrongWith = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    expectThat(!parseKill(changed), to.c_str());
  };
  wrongWith("26716", "4294967296");
  wrongWith("26716", "x");
  wrongWith("(tail)", "(a name of 16 byt)");
  wrongWith("-17", "1001");
  wrongWith("UID:1000", "UID:99999999999");
  wrongWith("15872kB", "15872");
}

void testVictim() {
  const auto victim = parseVictim(kVictim, "tail", 26716, 1000);
  expectThat(victim && victim->constraint == "MEMCG" && victim->limitGroup == "/t" &&
                 victim->taskGroup == "/t/i",
             "a victim");
  expectThat(!parseVictim(kVictim, "tai", 26716, 1000), "another name");
  expectThat(!parseVictim(kVictim, "tail", 26717, 1000), "another process");
  expectThat(!parseVictim(kVictim, "tail", 26716, 1001), "another user");
  for (const char* constraint : {"NONE", "CPUSET", "MEMORY_POLICY"}) {
    const std::string line = std::string("oom-kill:constraint=CONSTRAINT_") + constraint +
                             ",nodemask=0-1,3,cpuset=/,mems_allowed=0-1,3,global_oom,task_memcg=/,"
                             "task=a,pid=1,uid=0";
    const auto ofHost = parseVictim(line, "a", 1, 0);
    expectThat(ofHost && ofHost->limitGroup.empty() && ofHost->taskGroup == "/", constraint);
  }
  const std::string text = kVictim;
  for (std::size_t end = 0; end < text.size(); ++end) {
    expectThat(!parseVictim(text.substr(0, end), "tail", 26716, 1000), "a victim that is cut off");
  }
}

void testOthers() {
  expectThat(beginsReport("tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0"),
             "a report begins");
  expectThat(!beginsReport("a long name, no comm invoked oom-killer: gfp_mask=0x1"),
             "no name is that long");
  expectThat(parseForkRejected("cgroup: fork rejected by pids controller in /a/b") == "/a/b",
             "a fork that failed");
  expectThat(!parseForkRejected("cgroup: fork rejected by pids controller in (name too long)"),
             "a path that the kernel could not write");
}

}  // namespace

void testLines() {
  testUsage();
  testKill();
  testVictim();
  testOthers();
}
