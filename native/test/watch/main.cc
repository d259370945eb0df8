// What teu-cgroup-watch reads and is asked, under address and undefined-behaviour sanitizers.
// Silent on success.
void testRecords();
void testLines();
void testReports();
void testHostileTexts();
void testOptions();
void testOutput();
void testMutations();

int main() {
  testRecords();
  testLines();
  testReports();
  testHostileTexts();
  testOptions();
  testOutput();
  testMutations();
  return 0;
}
