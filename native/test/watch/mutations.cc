#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "../asan/expect.h"
#include "watch/kmsg_record.h"
#include "watch/oom_report.h"

using namespace teu::watch;

namespace {

constexpr int kRounds = 20'000;
constexpr const char* kParts[] = {
    "/t",    ",task=", ",pid=1", ",uid=0", ",oom_memcg=", ",task_memcg=/x",
    "\\x41", "\\",     "kB",     "(",      ")",           ";",
    "\n",    ",",      "=",      "0",      "99999999999", " "};

const std::vector<std::string> kRecords = {
    "4,1,10,-;tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n",
    "6,2,11,-;memory: usage 16384kB, limit 16384kB, failcnt 0\n",
    "6,3,12,-;memory+swap: usage 16384kB, limit 16384kB, failcnt 0\n",
    "6,4,13,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/"
    ",mems_allowed=0,oom_memcg=/t,task_memcg="
    "/t/i,task=a\\x20b,pid=26716,uid=0\n",
    "6,5,13,c;x\n",
    "3,5,14,-;Memory cgroup out of memory: Killed process 26716 (a\\x20b) total-vm:18676kB, "
    "anon-rss:15872kB, "
    "file-rss:1516kB, shmem-rss:0kB, UID:0 pgtables:76kB oom_score_adj:0\n"};

void mutate(std::string& text, std::mt19937& random) {
  const std::size_t at = random() % (text.size() + 1);
  const std::size_t count = std::min<std::size_t>(random() % 8, text.size() - at);
  switch (random() % 3) {
    case 0:
      text.erase(at, count);
      break;
    case 1:
      text.insert(at, kParts[random() % std::size(kParts)]);
      break;
    default:
      for (std::size_t index = at; index < at + count; ++index)
        text[index] = static_cast<char>(random());
  }
}

/// What is promised of every report, whatever it was made of.
bool isSound(const OomReport& report) {
  const bool inGroup = report.constraint == "MEMCG";
  const bool isBelow = report.limitGroup == "/" || report.taskGroup == report.limitGroup ||
                       report.taskGroup.starts_with(report.limitGroup + "/");
  return report.comm.size() <= 15 && report.taskGroup.starts_with('/') &&
         inGroup == !report.limitGroup.empty() && (!inGroup || isBelow) &&
         report.scoreAdjustment >= -1000 && report.scoreAdjustment <= 1000;
}

}  // namespace

void testMutations() {
  std::mt19937 random(20'240);
  int reports = 0;
  for (int round = 0; round < kRounds; ++round) {
    OomAssembler assembler;
    std::vector<std::string> records = kRecords;
    for (unsigned count = random() % 4; count > 0; --count)
      mutate(records[random() % records.size()], random);
    for (const std::string& raw : records) {
      const auto record = parseKmsgRecord(raw);
      const auto report = record ? assembler.take(*record) : std::nullopt;
      if (!report) continue;
      ++reports;
      expectThat(isSound(*report), "a report is sound");
    }
  }
  expectThat(reports > kRounds / 10, "some are still read");
}
