// Records as read(2) of /dev/kmsg gives them: lines, of which those that begin with a space go on
// with the record before them.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/targets.h"
#include "watch/kmsg_record.h"
#include "watch/oom_lines.h"
#include "watch/oom_report.h"

namespace teu::fuzz {
namespace {

constexpr int kLargestScore = 1000;

void checkReport(const watch::OomReport& report) {
  if (report.comm.size() > watch::kLongestComm) broken("a name as long as tasks have", report.comm);
  if (!report.taskGroup.starts_with('/')) broken("a path of a task", report.taskGroup);
  if (report.scoreAdjustment < -kLargestScore || report.scoreAdjustment > kLargestScore)
    broken("a score as the kernel gives", std::to_string(report.scoreAdjustment));
  const bool inGroup = report.constraint == "MEMCG";
  if (inGroup == report.limitGroup.empty())
    broken("a group only with its limit", report.limitGroup);
  const bool isBelow = report.limitGroup == "/" || report.taskGroup == report.limitGroup ||
                       report.taskGroup.starts_with(report.limitGroup + "/");
  if (inGroup && !isBelow) broken("a task below the limit", report.taskGroup);
}

}  // namespace

void runKernelLog(const Input& input) {
  watch::OomAssembler assembler;
  std::size_t begin = 0;
  while (begin < input.size()) {
    std::size_t end = begin + 1;
    while (end < input.size() && (input[end - 1] != '\n' || input[end] == ' ')) ++end;
    // A piece of memory of its own, behind which there is nothing.
    const std::size_t count = end - begin;
    const auto bytes = std::make_unique<char[]>(count);
    std::copy_n(input.begin() + static_cast<Input::difference_type>(begin), count, bytes.get());
    const std::string_view raw(bytes.get(), count);
    begin = end;
    const auto record = watch::parseKmsgRecord(raw);
    if (!record) continue;
    const auto path = watch::parseForkRejected(record->text);
    if (path && !path->starts_with('/')) broken("a path of a group", std::string(*path));
    if (const auto report = assembler.take(*record)) checkReport(*report);
  }
}

}  // namespace teu::fuzz
