#include "init/program_input.h"

#include "sys/files.h"

namespace teu {
namespace {
constexpr int kEagain = 11;
constexpr uint8_t kEndOfTransmission = 0x04;
}  // namespace

void ProgramInput::open(UniqueFd&& end, bool isTerminal) noexcept {
  end_ = static_cast<UniqueFd&&>(end);
  isTerminal_ = isTerminal;
  expected_ = false;
}

bool ProgramInput::push(const uint8_t* bytes, size_t size) noexcept {
  if (!isOpen() || closing_) return true;
  if (size > room()) return false;
  if (!window_) {
    Result<Mapping> memory = Mapping::ofMemory(kStdinWindow, Mapping::Sharing::kPrivate);
    if (!memory) return false;
    window_ = static_cast<Mapping&&>(memory.value());
  }
  if (taken_ > 0) {
    __builtin_memmove(window_.data(), window_.data() + taken_, length_ - taken_);
    length_ -= taken_;
    taken_ = 0;
  }
  __builtin_memcpy(window_.data() + length_, bytes, size);
  length_ += size;
  return true;
}

uint32_t ProgramInput::write() noexcept {
  uint32_t written = 0;
  while (end_ && taken_ < length_) {
    Result<size_t> size = sys::writeSome(end_.get(), window_.data() + taken_, length_ - taken_);
    if (!size && size.error().number == kEagain) return written;
    if (!size) {
      // The program closed its input: what is still to come goes nowhere.
      written += static_cast<uint32_t>(length_ - taken_);
      taken_ = length_;
      end_.reset();
      break;
    }
    taken_ += size.value();
    written += static_cast<uint32_t>(size.value());
  }
  if (taken_ == length_) taken_ = length_ = 0;
  if (closing_ && length_ == 0) finish();
  return written;
}

void ProgramInput::finish() noexcept {
  if (!end_) return;
  if (isTerminal_) {
    // A terminal has no end to close; its line discipline turns this character into one.
    Result<size_t> sent = sys::writeSome(end_.get(), &kEndOfTransmission, 1);
    if (!sent && sent.error().number == kEagain) return;
  }
  end_.reset();
}

}  // namespace teu
