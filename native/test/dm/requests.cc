#include "dm/requests.h"

#include <string>

#include "../asan/expect.h"

using teu::dm::DeviceMapper;
using teu::dm::FilesystemType;
using teu::dm::Pool;
using teu::dm::Requests;
using teu::dm::Volumes;

namespace {

constexpr const char* kMalformed = "7 error EPROTO malformed-request \n";

}  // namespace

void testRequests() {
  // Of no device-mapper at all: whatever gets through is refused by the kernel.
  const Pool pool(DeviceMapper{}, "nowhere");
  Volumes volumes(pool, FilesystemType::ext4);
  const Requests requests(pool, volumes, -1);
  for (const char* wrong : {"",
                            "bogus",
                            "create",
                            "create x",
                            "create -1",
                            "create 1 2",
                            "create 18446744073709551616",
                            "snapshot 1",
                            "snapshot 1 2 3",
                            "delete",
                            "transaction 1",
                            "probe 1",
                            "status 1",
                            "volumes x",
                            "make-pool",
                            "make-pool 1 2",
                            "make-pool 1 2 3 4",
                            "drop-pool 1",
                            "activate 1 2",
                            "activate 1 ro",
                            "activate ro",
                            "activate 1 2 wo",
                            "hold 1",
                            "hold 1 2 ro",
                            "hold rw",
                            "deactivate",
                            "own",
                            "own 1 2",
                            "measure",
                            "limit 1",
                            "limit 1 -2",
                            "unlimit 1 2",
                            "release",
                            "discard 1",
                            "create 1 ro",
                            "\xff",
                            "create \x01"}) {
    expectThat(requests.handle(std::string("7 ") + wrong) == kMalformed, wrong);
  }
  for (const char* without : {"", " ", "x y", "-1 probe", "99999999999999999999 probe"}) {
    expectThat(requests.handle(without) == "0 error EPROTO malformed-request \n", without);
  }
  for (const char* right : {"probe", "status", "volumes", "create 1", "activate 1 4096 ro",
                            "deactivate 1", "measure 1", "limit 1 2", "own 1", "hold 1 rw"}) {
    const std::string answer = requests.handle(std::string("7 ") + right);
    expectThat(answer.starts_with("7 error EBADF ioctl "), answer.c_str());
  }
  expectThat(requests.handle("7 release 1") == "7 ok\n", "nothing is held");
}
