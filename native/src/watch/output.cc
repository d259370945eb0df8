#include "watch/output.h"

namespace teu::watch {
namespace {

std::string pair(std::string_view name, std::uint64_t value) {
  return ' ' + std::string(name) + '=' + std::to_string(value);
}

std::string pair(std::string_view name, std::string_view value) {
  return ' ' + std::string(name) + '=' + encodeWord(value);
}

}  // namespace

std::string encodeWord(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string word;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte > ' ' && byte < 0x7f && byte != '%' && byte != '=') {
      word += letter;
    } else {
      word += '%';
      word += kHex[byte >> 4];
      word += kHex[byte & 15];
    }
  }
  return word;
}

std::string countsLine(std::uint64_t key, const Counts& counts, bool reached) {
  return "0 counts " + std::to_string(key) + pair("pids.max", counts.pidsMax) +
         pair("memory.max", counts.memoryMax) + pair("memory.high", counts.memoryHigh) +
         pair("oom_kill", counts.oomKill) + (reached ? " reached=1\n" : " reached=0\n");
}

std::string pressureLine(std::uint64_t key, std::string_view resource) {
  return "0 pressure " + std::to_string(key) + ' ' + std::string(resource) + '\n';
}

std::string goneLine(std::uint64_t key) {
  return "0 gone " + std::to_string(key) + '\n';
}

std::string oomLine(const OomReport& report, std::uint64_t realtime) {
  return "0 oom" + pair("sequence", report.sequence) + pair("time", realtime) +
         pair("constraint", report.constraint) + pair("limit_group", report.limitGroup) +
         pair("task_group", report.taskGroup) + pair("memory_usage", report.memory.usageKib) +
         pair("memory_limit", report.memory.limitKib) +
         pair("memsw_usage", report.memoryAndSwap.usageKib) +
         pair("memsw_limit", report.memoryAndSwap.limitKib) + pair("pid", report.pid) +
         pair("comm", report.comm) + pair("uid", report.uid) +
         pair("anonymous", report.anonymousKib) + pair("file", report.fileKib) +
         pair("shared", report.sharedKib) + " score=" + std::to_string(report.scoreAdjustment) +
         '\n';
}

std::string lostLine(std::uint64_t count) {
  return "0 lost " + std::to_string(count) + '\n';
}

std::string unheardLine() {
  return "0 unheard\n";
}

std::string kmsgLine(const KmsgReader& reader) {
  if (reader.fd() < 0) return "0 kmsg closed\n";
  return "0 kmsg " + std::to_string(reader.lastSequence()) + '\n';
}

}  // namespace teu::watch
