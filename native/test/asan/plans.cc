#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <vector>

#include "expect.h"
#include "launch/plan_reader.h"

namespace {

using Bytes = std::vector<uint8_t>;

Bytes readFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Reads a plan from exactly sized memory, so that one byte too far is found.
bool accepts(const Bytes& bytes, teu::LaunchPlan& plan, std::unique_ptr<uint8_t[]>& copy,
             std::vector<uint8_t>& lists) {
  copy = std::make_unique<uint8_t[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  lists.assign(bytes.size() * 16 + 64, 0);
  teu::Arena arena(lists.data(), lists.size());
  plan = {};
  return static_cast<bool>(teu::readLaunchPlan(copy.get(), bytes.size(), arena, plan));
}

bool accepts(const Bytes& bytes) {
  teu::LaunchPlan plan;
  std::unique_ptr<uint8_t[]> copy;
  std::vector<uint8_t> lists;
  return accepts(bytes, plan, copy, lists);
}

void testFields(const Bytes& bytes) {
  teu::LaunchPlan plan;
  std::unique_ptr<uint8_t[]> copy;
  std::vector<uint8_t> lists;
  expectThat(accepts(bytes, plan, copy, lists), "the example plan is accepted");
  expectThat(!std::strcmp(plan.id, "example"), "id");
  expectThat(!std::strcmp(plan.socketPath, "/run/example"), "socketPath");
  expectThat(plan.hold, "hold");
  expectThat(plan.namespaces[teu::kNetworkNamespace].kind == teu::NamespaceKind::kPath, "network");
  expectThat(plan.timeOffsets.monotonicNs == -5, "timeOffsets");
  expectThat(plan.mounts.size == 2 && plan.mounts[1].propagation == 0x40000, "mounts");
  expectThat(plan.devices[1].type == teu::DeviceType::kFifo, "devices");
  expectThat(plan.process.argv.size == 3 && plan.process.argv.data[3] == nullptr, "argv");
  expectThat(!std::strcmp(plan.process.env[1], "A=\xc3\xa4"), "env");
  expectThat(plan.process.seccomp.filter.size == 8, "seccomp");
  expectThat(plan.process.rlimits[0].hard == ~uint64_t{0}, "rlimits");
  expectThat(plan.process.oomScoreAdj == -5, "oomScoreAdj");
}

void testTruncation(const Bytes& bytes) {
  for (size_t size = 0; size < bytes.size(); ++size) {
    Bytes cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
    expectThat(!accepts(cut), "a cut plan is refused");
    if (cut.size() < 12) continue;
    // With a length that claims to be right, so that the fields behind are reached.
    const auto length = static_cast<uint32_t>(size);
    std::memcpy(cut.data() + 8, &length, sizeof length);
    expectThat(!accepts(cut), "a cut plan with a fitting length is refused");
  }
}

/// No outcome is wrong here but a sanitizer's complaint.
void testMutation(const Bytes& bytes) {
  std::mt19937 random(20);
  for (int round = 0; round < 20000; ++round) {
    Bytes mutated = bytes;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int change = 0; change < changes; ++change) {
      const size_t at = 12 + random() % (mutated.size() - 12);
      const auto kind = random() % 3;
      if (kind == 0) mutated[at] = static_cast<uint8_t>(random());
      if (kind == 1) mutated[at] = 0xff;
      if (kind == 2 && at + 4 <= mutated.size()) std::memset(mutated.data() + at, 0xff, 4);
    }
    static_cast<void>(accepts(mutated));
  }
}

}  // namespace

void testPlans(const char* planFile) {
  const Bytes bytes = readFile(planFile);
  testFields(bytes);
  testTruncation(bytes);
  testMutation(bytes);
}
