// Programs of teu-devices against what their rules say, under address and undefined-behaviour
// sanitizers. Silent on success. No kernel is needed: the few instructions are interpreted here.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <array>
#include <cstring>
#include <string>

#include "devices/attach.h"
#include "devices/program.h"
#include "devices/rule.h"

namespace {

using teu::devices::makeProgram;
using teu::devices::parseRule;
using teu::devices::Rule;

[[noreturn]] void fail(const std::string& what) {
  fprintf(stderr, "%s\n", what.c_str());
  exit(1);
}

/// Runs a program as the kernel does.
bool run(const std::vector<bpf_insn>& program, const bpf_cgroup_dev_ctx& context) {
  std::array<std::uint32_t, 10> registers{};
  for (std::size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& op = program.at(at);
    std::uint32_t& target = registers.at(op.dst_reg);
    const auto value = static_cast<std::uint32_t>(op.imm);
    switch (op.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        memcpy(&target, reinterpret_cast<const char*>(&context) + op.off, sizeof target);
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        target = registers.at(op.src_reg);
        break;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        target = value;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        target &= value;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        target >>= value;
        break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        if (target != value) at += static_cast<std::size_t>(op.off);
        break;
      case BPF_JMP32 | BPF_JEQ | BPF_K:
        if (target == value) at += static_cast<std::size_t>(op.off);
        break;
      case BPF_JMP | BPF_EXIT:
        return registers[0] == 1;
      default:
        fail("an instruction that is not known");
    }
  }
  fail("a program that does not end");
}

bool isAbout(const Rule& rule, char type, std::uint32_t major, std::uint32_t minor) {
  return (rule.type == 'a' || rule.type == type) && rule.major.value_or(major) == major &&
         rule.minor.value_or(minor) == minor;
}

/// What the rules say: each kind of access by itself, the last rule about it decides.
bool expected(const std::vector<Rule>& rules, char type, std::uint32_t major, std::uint32_t minor,
              std::uint32_t access) {
  for (std::uint32_t bit = 1; bit <= access; bit <<= 1) {
    if ((access & bit) == 0) continue;
    bool allowed = false;
    for (const Rule& rule : rules) {
      if ((rule.access & bit) != 0 && isAbout(rule, type, major, minor)) allowed = rule.allow;
    }
    if (!allowed) return false;
  }
  return true;
}

void compareAll(const std::vector<Rule>& rules) {
  const std::vector<bpf_insn> program = makeProgram(rules);
  for (const char type : {'b', 'c'}) {
    for (std::uint32_t major = 0; major < 4; ++major) {
      for (std::uint32_t minor = 0; minor < 4; ++minor) {
        for (std::uint32_t access = 1; access < 8; ++access) {
          const std::uint32_t kind = type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
          const bpf_cgroup_dev_ctx context{access << 16 | kind, major, minor};
          if (run(program, context) == expected(rules, type, major, minor, access)) continue;
          fail(std::string("wrong about ") + type + " " + std::to_string(major) + ":" +
               std::to_string(minor) + " access " + std::to_string(access));
        }
      }
    }
  }
}

void testProgram() {
  srand(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Rule> rules(static_cast<std::size_t>(rand() % 8));
    for (Rule& rule : rules) {
      rule.allow = rand() % 2 == 0;
      rule.type = "abc"[rand() % 3];
      if (rand() % 2 == 0) rule.major = rand() % 4;
      if (rand() % 2 == 0) rule.minor = rand() % 4;
      rule.access = 1 + static_cast<std::uint32_t>(rand() % 7);
    }
    compareAll(rules);
  }
}

void testRules() {
  const std::optional<Rule> rule = parseRule("+c:136:*:rw");
  if (!rule || !rule->allow || rule->type != 'c' || rule->major != 136 || rule->minor ||
      rule->access != (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)) {
    fail("a rule is not understood");
  }
  for (const char* wrong :
       {"", "+", "c:1:3:r", "+d:1:3:r", "+c:1:3", "+c:1:3:", "+c:1:3:x", "+c:1:3:rr", "+c:x:3:r",
        "+c:1::r", "+c:99999999999:1:r", "+c:-1:1:r", "+c:1:3:r:w"}) {
    if (parseRule(wrong)) fail(std::string("this is taken for a rule: ") + wrong);
  }
}

void testLockedMemory() {
  rlimit memory;
  getrlimit(RLIMIT_MEMLOCK, &memory);
  memory.rlim_cur = 0;
  setrlimit(RLIMIT_MEMLOCK, &memory);
  const rlim_t most = memory.rlim_max;
  teu::devices::liftLockedMemory();
  getrlimit(RLIMIT_MEMLOCK, &memory);
  if (memory.rlim_cur != RLIM_INFINITY && memory.rlim_cur != most) {
    fail("the limit on locked memory is not lifted");
  }
}

}  // namespace

int main() {
  testLockedMemory();
  testRules();
  testProgram();
  return 0;
}
