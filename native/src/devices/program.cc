#include "devices/program.h"

#include <stddef.h>

namespace teu::devices {
namespace {

// What registers hold. The kernel gives a bpf_cgroup_dev_ctx in the first.
constexpr std::uint8_t kAnswer = BPF_REG_0;
constexpr std::uint8_t kContext = BPF_REG_1;
constexpr std::uint8_t kType = BPF_REG_2;
constexpr std::uint8_t kUndecided = BPF_REG_3;
constexpr std::uint8_t kMajor = BPF_REG_4;
constexpr std::uint8_t kMinor = BPF_REG_5;
constexpr std::uint8_t kScratch = BPF_REG_6;

constexpr std::int32_t kTypeMask = 0xFFFF;
constexpr std::int32_t kAccessShift = 16;

bpf_insn instruction(int code, std::uint8_t target, std::uint8_t source, std::int16_t offset,
                     std::int32_t value) {
  bpf_insn made{};
  made.code = static_cast<std::uint8_t>(code);
  made.dst_reg = target & 0xF;
  made.src_reg = source & 0xF;
  made.off = offset;
  made.imm = value;
  return made;
}

bpf_insn load(std::uint8_t target, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, target, kContext, static_cast<std::int16_t>(offset),
                     0);
}

bpf_insn compute(int operation, std::uint8_t target, std::int32_t value) {
  return instruction(BPF_ALU | operation | BPF_K, target, 0, 0, value);
}

bpf_insn copy(std::uint8_t target, std::uint8_t source) {
  return instruction(BPF_ALU | BPF_MOV | BPF_X, target, source, 0, 0);
}

/// Jumps over instructions if a register compares so to a number.
bpf_insn skip(int comparison, std::uint8_t tested, std::uint32_t value, std::size_t count) {
  return instruction(BPF_JMP32 | comparison | BPF_K, tested, 0, static_cast<std::int16_t>(count),
                     static_cast<std::int32_t>(value));
}

void addAnswer(std::vector<bpf_insn>& program, bool allowed) {
  program.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, kAnswer, 0, 0, allowed ? 1 : 0));
  program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

void addBegin(std::vector<bpf_insn>& program) {
  program.push_back(load(kType, offsetof(bpf_cgroup_dev_ctx, access_type)));
  program.push_back(copy(kUndecided, kType));
  program.push_back(compute(BPF_AND, kType, kTypeMask));
  program.push_back(compute(BPF_RSH, kUndecided, kAccessShift));
  program.push_back(load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)));
  program.push_back(load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)));
}

/// What a rule does with a device that it is about.
std::vector<bpf_insn> decision(const Rule& rule) {
  std::vector<bpf_insn> made;
  const auto access = static_cast<std::int32_t>(rule.access);
  if (rule.allow) {
    made.push_back(compute(BPF_AND, kUndecided, ~access));
    made.push_back(skip(BPF_JNE, kUndecided, 0, 2));
  } else {
    made.push_back(copy(kScratch, kUndecided));
    made.push_back(compute(BPF_AND, kScratch, access));
    made.push_back(skip(BPF_JEQ, kScratch, 0, 2));
  }
  addAnswer(made, rule.allow);
  return made;
}

void addRule(std::vector<bpf_insn>& program, const Rule& rule) {
  const std::vector<bpf_insn> decided = decision(rule);
  std::vector<bpf_insn> tests;
  // Each test skips those after it too.
  const auto addTest = [&](std::uint8_t tested, std::uint32_t value) {
    tests.push_back(skip(BPF_JNE, tested, value, 0));
  };
  if (rule.type != 'a') addTest(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  if (rule.major) addTest(kMajor, *rule.major);
  if (rule.minor) addTest(kMinor, *rule.minor);
  for (std::size_t i = 0; i < tests.size(); ++i) {
    tests[i].off = static_cast<std::int16_t>(tests.size() - i - 1 + decided.size());
  }
  program.insert(program.end(), tests.begin(), tests.end());
  program.insert(program.end(), decided.begin(), decided.end());
}

}  // namespace

std::vector<bpf_insn> makeProgram(const std::vector<Rule>& rules) {
  std::vector<bpf_insn> program;
  addBegin(program);
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) addRule(program, *rule);
  addAnswer(program, false);
  return program;
}

}  // namespace teu::devices
