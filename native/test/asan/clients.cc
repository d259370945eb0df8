#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <vector>

#include "expect.h"
#include "init/client.h"
#include "init/program_input.h"
#include "init/state_directory.h"

namespace {

struct Line {
  teu::Client client;
  int peer;
};

Line connect() {
  int ends[2];
  expectThat(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "socketpair");
  auto client = teu::Client::make(teu::UniqueFd(ends[0]));
  expectThat(static_cast<bool>(client), "client");
  return {static_cast<teu::Client&&>(client.value()), ends[1]};
}

void testPieces() {
  Line line = connect();
  std::vector<uint8_t> stream;
  for (uint32_t size : {0U, 1U, 5000U, 16384U}) {
    const teu::FrameHeader header{.length = size, .type = 4, .tag = 9};
    const auto* raw = reinterpret_cast<const uint8_t*>(&header);
    stream.insert(stream.end(), raw, raw + sizeof header);
    stream.insert(stream.end(), size, 0x5a);
  }
  size_t frames = 0;
  for (size_t at = 0; at < stream.size(); at += 777) {
    const size_t size = std::min<size_t>(777, stream.size() - at);
    expectThat(::write(line.peer, stream.data() + at, size) == static_cast<long>(size), "write");
    expectThat(line.client.receive(), "receive");
    teu::IncomingFrame frame;
    while (line.client.takeFrame(frame) == teu::Client::Take::kFrame) {
      ++frames;
      for (size_t byte = 0; byte < frame.size; ++byte) {
        expectThat(frame.payload[byte] == 0x5a, "payload");
      }
    }
  }
  expectThat(frames == 4, "all frames came out");
  ::close(line.peer);
}

void testGarbage() {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    Line line = connect();
    std::vector<uint8_t> garbage(random() % 3000);
    for (uint8_t& byte : garbage) byte = static_cast<uint8_t>(random() % 4 ? 0 : random());
    if (::write(line.peer, garbage.data(), garbage.size()) < 0) continue;
    static_cast<void>(line.client.receive());
    teu::IncomingFrame frame;
    while (line.client.takeFrame(frame) == teu::Client::Take::kFrame) {
      volatile uint8_t sum = 0;
      for (size_t byte = 0; byte < frame.size; ++byte) {
        sum = static_cast<uint8_t>(sum + frame.payload[byte]);
      }
    }
    ::close(line.peer);
  }
}

/// A client that never reads is hung up on; nothing grows.
void testDeafClient() {
  Line line = connect();
  int rounds = 0;
  while (line.client.open() && rounds < 200000) {
    line.client.sendResult(1, 0);
    ++rounds;
  }
  expectThat(!line.client.open(), "a deaf client is closed");
  ::close(line.peer);
}

void testInput() {
  int ends[2];
  expectThat(::pipe2(ends, O_NONBLOCK) == 0, "pipe");
  teu::ProgramInput input;
  input.open(teu::UniqueFd(ends[1]), false);
  const std::vector<uint8_t> bytes(10000, 'i');
  size_t pushed = 0;
  while (input.push(bytes.data(), bytes.size())) pushed += bytes.size();
  expectThat(pushed <= teu::kStdinWindow, "the window is a limit");
  size_t read = 0;
  std::vector<uint8_t> back(4096);
  input.closeAfterwards();
  for (int round = 0; round < 1000 && read < pushed; ++round) {
    input.write();
    const long size = ::read(ends[0], back.data(), back.size());
    if (size > 0) read += static_cast<size_t>(size);
  }
  input.write();
  expectThat(read == pushed && !input.isOpen(), "all input arrives, then the end");
  ::close(ends[0]);
}

void testStartTicks() {
  uint64_t ticks = 0;
  const char* tricky = "7 (a) b) c) S 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 123456 1 2 3\n";
  expectThat(teu::parseStartTicks(tricky, ticks) && ticks == 123456, "a name with parentheses");
  for (const char* bad : {"", "7", "7 (", "7 (x)", "7 (x) S 1 2", ")))))"}) {
    expectThat(!teu::parseStartTicks(bad, ticks), "a text that is no stat");
  }
}

}  // namespace

void testClients() {
  testPieces();
  testGarbage();
  testDeafClient();
  testInput();
  testStartTicks();
}
