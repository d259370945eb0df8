// Reader, protocol and log code under address and undefined-behaviour sanitizers: `asan-tests
// PLAN`, where PLAN is a file that ts/plan-encoder.ts wrote. Silent on success.
#include <cstdio>

void testPlans(const char* planFile);
void testLogStore();
void testClients();
void testAccounts();
void testMountData();

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: asan-tests PLAN\n");
    return 2;
  }
  testPlans(arguments[1]);
  testLogStore();
  testClients();
  testAccounts();
  testMountData();
  return 0;
}
