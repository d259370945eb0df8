#include <string>

#include "../asan/expect.h"
#include "watch/kmsg_record.h"

using teu::watch::parseKmsgRecord;
using teu::watch::unescapeKmsg;

void testRecords() {
  const auto usual =
      parseKmsgRecord("6,8174,24453144514,-;oom-kill:constraint=X\n SUBSYSTEM=cpu\n");
  expectThat(usual && usual->sequence == 8174 && usual->microseconds == 24453144514,
             "the numbers of a record");
  expectThat(usual && usual->fromKernel && usual->text == "oom-kill:constraint=X", "its text");
  const auto withCaller = parseKmsgRecord("3,1,2,-,caller=T12;hello\n");
  expectThat(withCaller && withCaller->text == "hello", "more fields than are known");
  expectThat(withCaller && withCaller->caller == "T12" && !withCaller->isFragment, "who wrote it");
  const auto fragment = parseKmsgRecord("6,1,2,c;hello\n");
  expectThat(fragment && fragment->isFragment && fragment->caller.empty(), "a fragment");
  // Facility 1 is "user": what a process writes, whatever it asks for.
  for (const char* other : {"8,1,2,-;x\n", "11,1,2,-;x\n", "12,1,2,-;x\n", "2047,1,2,-;x\n"}) {
    const auto record = parseKmsgRecord(other);
    expectThat(record && !record->fromKernel, "a process is not the kernel");
  }
  for (const char* wrong :
       {"", ";", "6;x", "6,1;x", "6,1,x,-;x", "a,1,2,-;x", "-6,1,2,-;x",
        "6,99999999999999999999,2,-;x", "6,1,2,-;a\\b", "6,1,2,-;a\\x4", "6,1,2,-;a\\xZZ"}) {
    expectThat(!parseKmsgRecord(wrong), wrong);
  }
  expectThat(unescapeKmsg("a\\x20b\\x5cx41") == "a b\\x41", "escapes are undone once");
  expectThat(unescapeKmsg("\\xc3\\xa9") == "\xc3\xa9", "bytes above ASCII");
  expectThat(!unescapeKmsg("\\xC3"), "capital digits are not the kernel's");
  expectThat(unescapeKmsg("")->empty(), "nothing");
}
