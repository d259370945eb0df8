#include <string>
#include <vector>

#include "../asan/expect.h"
#include "watch/oom_report.h"

using teu::watch::KmsgRecord;
using teu::watch::OomAssembler;
using teu::watch::OomReport;

namespace {

constexpr const char* kFigures =
    " total-vm:8kB, anon-rss:4kB, file-rss:2kB, shmem-rss:1kB, UID:0 pgtables:76kB oom_score_adj:0";

std::string victim(const std::string& groups, const std::string& comm) {
  return "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0" + groups +
         ",task=" + comm + ",pid=5,uid=0";
}

std::string kill(const std::string& comm, const std::string& pid = "5") {
  return "Memory cgroup out of memory: Killed process " + pid + " (" + comm + ")" + kFigures;
}

/// Reports of records of the kernel, a microsecond apart.
std::vector<OomReport> reportsOf(const std::vector<std::string>& texts, bool fromKernel = true) {
  OomAssembler assembler;
  std::vector<OomReport> reports;
  std::uint64_t sequence = 0;
  for (const std::string& text : texts) {
    ++sequence;
    const KmsgRecord record{
        .sequence = sequence, .microseconds = sequence, .fromKernel = fromKernel, .text = text};
    if (auto report = assembler.take(record)) reports.push_back(*report);
  }
  return reports;
}

const std::string kGroups = ",oom_memcg=/t,task_memcg=/t/i";
const std::string kBegin = "tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0";
const std::string kMemory = "memory: usage 64kB, limit 64kB, failcnt 0";
const std::string kBoth = "memory+swap: usage 60kB, limit 128kB, failcnt 0";

void testWhole() {
  const auto reports = reportsOf({kBegin, kMemory, kBoth, "swap: usage 1kB, limit 1kB, failcnt 0",
                                  "noise", victim(kGroups, "tail"), kill("tail")});
  expectThat(reports.size() == 1, "one report");
  const OomReport& report = reports[0];
  expectThat(report.sequence == 7 && report.constraint == "MEMCG" && report.limitGroup == "/t" &&
                 report.taskGroup == "/t/i" && report.comm == "tail" && report.pid == 5,
             "what it says");
  expectThat(report.memory.usageKib == 64 && report.memory.limitKib == 64 &&
                 report.memoryAndSwap.usageKib == 60 && report.memoryAndSwap.limitKib == 128,
             "usage and limits");
}

void testParts() {
  expectThat(reportsOf({kMemory, victim(kGroups, "tail"), kill("tail")}, false).empty(),
             "processes are not believed");
  expectThat(reportsOf({kill("tail")}).empty(), "a kill without its report");
  expectThat(reportsOf({victim(kGroups, "tail"), kill("tail", "6")}).empty(), "of another process");
  expectThat(reportsOf({victim(kGroups, "tail"), kill("tail"), kill("tail")}).size() == 1,
             "a report is used once");
  // Figures of an earlier report are not those of the next.
  const auto second = reportsOf({kBegin, kMemory, kBegin, victim(kGroups, "tail"), kill("tail")});
  expectThat(second.size() == 1 && second[0].memory.limitKib == 0, "figures of another report");
  // A report of a group is not one of the host.
  std::string ofHost = kill("tail");
  ofHost.replace(0, std::string("Memory cgroup out").size(), "Out");
  expectThat(reportsOf({victim(kGroups, "tail"), ofHost}).empty(), "messages that contradict");
}

KmsgRecord recordOf(const std::string& text, bool isFragment = false, const char* caller = "T1") {
  return {.fromKernel = true, .isFragment = isFragment, .caller = caller, .text = text};
}

/// Number of reports of a kill of which the line was split before the path of its group.
std::size_t reportsOfSplit(const std::vector<KmsgRecord>& between) {
  const std::string line = victim(kGroups, "tail");
  const std::size_t at = line.find("/t/i");
  std::vector<KmsgRecord> records{recordOf(line.substr(0, at))};
  records.insert(records.end(), between.begin(), between.end());
  records.push_back(recordOf(line.substr(at, 4), true));
  records.push_back(recordOf(line.substr(at + 4), true));
  records.push_back(recordOf(kill("tail")));
  OomAssembler assembler;
  std::size_t count = 0;
  for (const KmsgRecord& record : records) {
    const auto report = assembler.take(record);
    if (report && report->taskGroup == "/t/i") ++count;
  }
  return count;
}

/// What another processor writes splits a line that is written in pieces.
void testSplit() {
  expectThat(reportsOfSplit({recordOf("noise", false, "T2")}) == 1, "split by another record");
  expectThat(reportsOfSplit({recordOf("/x", true, "T2")}) == 1, "pieces of another's line");
  expectThat(reportsOfSplit({recordOf("/x", true)}) == 0, "pieces that do not fit");
  KmsgRecord ofProcess = recordOf("/x", true);
  ofProcess.fromKernel = false;
  expectThat(reportsOfSplit({ofProcess}) == 1, "processes are not believed in pieces either");
  // What goes on after the end is not of the line.
  OomAssembler assembler;
  (void)assembler.take(recordOf(victim(kGroups, "tail")));
  (void)assembler.take(recordOf("more", true));
  expectThat(assembler.take(recordOf(kill("tail"))).has_value(), "a line that is whole");
  // However much comes.
  OomAssembler flooded;
  (void)flooded.take(recordOf("oom-kill:constraint=CONSTRAINT_MEMCG"));
  for (int round = 0; round < 1000; ++round)
    (void)flooded.take(recordOf(std::string(1000, 'x'), true));
  expectThat(!flooded.take(recordOf(kill("tail"))), "a line without end");
}

}  // namespace

void testReports() {
  testWhole();
  testSplit();
  testParts();
}

/// Names that pretend to be what stands around them.
void testHostileTexts() {
  for (const char* comm :
       {"", " ", ",pid=1,uid=0", ",task=a,pid=1", ") total-vm:1kB", "a) (b", "(((((((((((((((",
        ",task_memcg=/x", ",oom_memcg=/x", "\n\t\xff\\", "kB, UID:0"}) {
    const auto reports = reportsOf({victim(kGroups, comm), kill(comm)});
    expectThat(reports.size() == 1 && reports[0].comm == comm && reports[0].taskGroup == "/t/i" &&
                   reports[0].pid == 5,
               comm);
  }
  // A group's name may hold what ends the one before: then nobody can tell whose it was, and nobody
  // is told.
  for (const char* groups :
       {",oom_memcg=/t/,task_memcg=/x,task_memcg=/t/,task_memcg=/x",
        ",oom_memcg=/a,oom_memcg=/t,task_memcg=/t", ",oom_memcg=/t,task_memcg=/t/a,task_memcg=/b",
        ",oom_memcg=/t,task_memcg=/u", ",oom_memcg=/t,task_memcg=/tt", ",oom_memcg=t,task_memcg=t",
        ",oom_memcg=(name too long),task_memcg=/t", ",global_oom,task_memcg=/t", ",task_memcg=/t",
        ",oom_memcg=/t", "",
        // The name of a cpuset stands before.
        ",oom_memcg=/a,task_memcg=/a,mems_allowed=0,oom_memcg=/t,task_memcg=/t"}) {
    expectThat(reportsOf({victim(groups, "tail"), kill("tail")}).empty(), groups);
  }
  // Other signs in paths are no trouble.
  const auto odd = reportsOf(
      {victim(",oom_memcg=/t/a b=c,task_memcg=/t/a b=c/,task=x,pid=1", "tail"), kill("tail")});
  expectThat(odd.size() == 1 && odd[0].taskGroup == "/t/a b=c/,task=x,pid=1", "signs in paths");
}
