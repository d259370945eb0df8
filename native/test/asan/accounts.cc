#include <string>
#include <vector>

#include "expect.h"
#include "init/account_files.h"

namespace {

using Form = teu::AccountName::Form;

void testRefused() {
  const std::vector<std::string> refused = {
      "",        "0x0", "-1",    " 1",         "1 ",         "+1",        "1:",
      ":1",      ":",   "1:2:3", "2147483648", "4294967296", "1e3",       "007x",
      "root:-1", "a b", "a\nb",  "\xd9\xa1",   "a/b",        "1root",     "99999999999",
      "root\t",  "$",   "-name", ".x",         "a:b c",      "4294967297"};
  for (const std::string& text : refused) {
    expectThat(!teu::parseUserRequest(text.c_str()).valid(), ("refused: " + text).c_str());
  }
  expectThat(!teu::parseUserRequest(std::string(300, 'a').c_str()).valid(), "a long name");
}

void testTaken() {
  const teu::UserRequest both = teu::parseUserRequest("web-1:2147483647");
  expectThat(both.valid() && both.user.form == Form::kName, "a name");
  expectThat(both.group.form == Form::kNumber && both.group.number == 2147483647, "a number");
  expectThat(teu::parseUserRequest("0").user.number == 0, "root by number");
  expectThat(teu::parseUserRequest("_x.y$").valid(), "a last dollar");
  expectThat(teu::parseUserRequest("007").user.number == 7, "leading zeros are decimal");
}

void testLines() {
  const std::string file =
      "a:x:1:2\nbad\n4294967296:x:4294967296:0\nb:x:-1:3\n\n:x:0:0\nc:x:4:5:::";
  teu::TextView text(file.data(), file.size());
  teu::TextView line;
  std::string names;
  while (teu::takeLine(text, line)) {
    teu::PasswdEntry entry;
    if (teu::parsePasswdLine(line, entry)) names.append(entry.name.data, entry.name.size);
  }
  expectThat(names == "ac", "only whole entries count");

  const std::string group = "g:x:9:ab,b,,c";
  teu::GroupEntry entry;
  expectThat(teu::parseGroupLine({group.data(), group.size()}, entry), "a group");
  expectThat(entry.hasMember({"b", 1}) && entry.hasMember({"c", 1}), "members");
  expectThat(!entry.hasMember({"a", 1}) && !entry.hasMember({"abc", 3}), "no parts of names");
}

}  // namespace

void testAccounts() {
  testRefused();
  testTaken();
  testLines();
}
