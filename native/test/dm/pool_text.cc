#include "dm/pool_text.h"

#include <string>

#include "../asan/expect.h"

using teu::dm::parsePoolStatus;
using teu::dm::parsePoolTable;
using teu::dm::PoolMode;

namespace {

void testStatus() {
  const auto usual = parsePoolStatus(
      "734353340497921 419/4096 17/16384 - rw no_discard_passdown error_if_no_space - 100 ");
  expectThat(usual.has_value(), "a usual status is read");
  expectThat(usual->transaction == 734353340497921 && usual->usedMetadata == 419 &&
                 usual->totalMetadata == 4096 && usual->usedData == 17 &&
                 usual->totalData == 16384 && usual->heldRoot == 0,
             "its numbers");
  expectThat(usual->mode == PoolMode::writable && !usual->isQueueing && !usual->needsCheck,
             "its words");
  const auto full = parsePoolStatus(
      "1 1/2 2/2 77 out_of_data_space discard_passdown queue_if_no_space needs_check 0");
  expectThat(full && full->mode == PoolMode::noSpace && full->heldRoot == 77 && full->isQueueing &&
                 full->needsCheck,
             "a full pool");
  const auto failed = parsePoolStatus("Fail");
  expectThat(failed && failed->mode == PoolMode::failed, "a failed pool");
  const std::string status = "1 1/2 2/2 - ro discard_passdown error_if_no_space -";
  expectThat(parsePoolStatus(status)->mode == PoolMode::readOnly, "a pool that only reads");
  for (const char* wrong :
       {"", " ", "Error", "1 1/2 2/2 - rw", "x 1/2 2/2 - rw a b c", "1 1-2 2/2 - rw a b c",
        "1 1/2 2/2/2 - rw a b c", "1 1/2 2/2 y rw a b c", "1 1/2 2/2 - xx a b c",
        "99999999999999999999 1/2 2/2 - rw a b c", "1 /2 2/2 - rw a b c"}) {
    expectThat(!parsePoolStatus(wrong), wrong);
  }
  // Words that are cut off anywhere.
  for (std::size_t end = 0; end < status.size(); ++end) {
    (void)parsePoolStatus(std::string(status, 0, end));
  }
}

void testTable() {
  const auto table = parsePoolTable("7:1 7:0 128 100 1 error_if_no_space ");
  expectThat(table && table->metadata.major == 7 && table->metadata.minor == 1 &&
                 table->data.minor == 0 && table->blockSectors == 128,
             "a table is read");
  for (const char* wrong : {"", "7:1 7:0 128", "/dev/a 7:0 128 0", "7:1 7 128 0", "7:1 7:0 x 0",
                            "4294967296:1 7:0 128 0"}) {
    expectThat(!parsePoolTable(wrong), wrong);
  }
}

}  // namespace

void testPoolText() {
  testStatus();
  testTable();
}
