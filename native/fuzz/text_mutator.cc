#include <algorithm>
#include <string_view>

#include "fuzz/mutator.h"

namespace teu::fuzz {
namespace {

constexpr std::size_t kMaxTextBytes = 16 << 10;

/// What parsers of the kernel's log look for, and what is at the edge of what they may meet.
constexpr std::string_view kTextWords[] = {
    ",",
    ";",
    "=",
    "\\",
    "\\x",
    "\\x2c",
    "\\x0",
    " ",
    "(",
    ")",
    "/",
    "-",
    "\n",
    "\n ",
    "0",
    "1",
    "18446744073709551615",
    "18446744073709551616",
    "4294967296",
    "kB",
    ",c",
    ",caller=T1",
    ",pid=",
    ",uid=",
    ",task=",
    ",task_memcg=/",
    ",oom_memcg=/",
    ",global_oom",
    ",mems_allowed=0",
    "memory: usage ",
    "memory+swap: usage ",
    " invoked oom-killer: gfp_mask=0x",
    "Memory cgroup out of memory: Killed process ",
    "Out of memory: Killed process ",
    "oom-kill:constraint=CONSTRAINT_",
    "cgroup: fork rejected by pids controller in /",
};

using Place = Input::difference_type;

/// Where the line begins that a byte is in.
Place lineBegin(const Input& input, std::size_t at) {
  while (at > 0 && input[at - 1] != '\n') --at;
  return static_cast<Place>(at);
}

/// Where the line ends, behind its line feed.
Place lineEnd(const Input& input, std::size_t at) {
  while (at < input.size() && input[at] != '\n') ++at;
  return static_cast<Place>(std::min(at + 1, input.size()));
}

bool isDigit(std::uint8_t letter) {
  return letter >= '0' && letter <= '9';
}

}  // namespace

void Mutator::changeText(Input& input, const Input& other) {
  if (input.empty()) input.push_back('\n');
  const std::size_t at = below(input.size());
  const auto place = input.begin() + static_cast<Place>(at);
  const std::string_view word = kTextWords[below(std::size(kTextWords))];
  switch (below(8)) {
    case 0:
      input[at] = static_cast<std::uint8_t>(random_());
      break;
    case 1:
      input.insert(place, word.begin(), word.end());
      break;
    case 2: {  // Instead of what is there.
      const std::size_t count = std::min(word.size(), input.size() - at);
      std::copy_n(word.begin(), count, place);
      break;
    }
    case 3:
      input.erase(place, place + static_cast<Place>(std::min(1 + below(16), input.size() - at)));
      break;
    case 4: {  // The next number.
      const auto digit = std::find_if(place, input.end(), isDigit);
      if (digit != input.end()) *digit = static_cast<std::uint8_t>('0' + below(10));
      break;
    }
    case 5:  // Without a line, or without the rest of all.
      if (below(4) == 0)
        input.resize(at);
      else
        input.erase(input.begin() + lineBegin(input, at), input.begin() + lineEnd(input, at));
      break;
    case 6: {  // A line again, later or earlier.
      const Input line(input.begin() + lineBegin(input, at), input.begin() + lineEnd(input, at));
      const Place there = lineBegin(input, below(input.size()));
      input.insert(input.begin() + there, line.begin(), line.end());
      break;
    }
    default:
      if (!other.empty()) {
        const std::size_t from = below(other.size());
        input.insert(input.begin() + lineBegin(input, at), other.begin() + lineBegin(other, from),
                     other.begin() + lineEnd(other, from));
      }
      break;
  }
  if (input.size() > kMaxTextBytes) input.resize(kMaxTextBytes);
}

Input Mutator::mutateText(const Input& input, const Input& other) {
  Input changed = input;
  for (std::size_t times = 1 + below(4); times > 0; --times) changeText(changed, other);
  return changed;
}

}  // namespace teu::fuzz
