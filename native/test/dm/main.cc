// What teu-dm reads, and what it is asked, under address and undefined-behaviour sanitizers. Silent
// on success. Device-mapper itself is not needed.
void testPoolText();
void testThinMetadata();
void testRequests();
void testSuperblocks();

int main() {
  testPoolText();
  testThinMetadata();
  testRequests();
  testSuperblocks();
  return 0;
}
